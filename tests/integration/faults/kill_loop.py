"""Kill a store's processes at random moments under uploads, start them again, and see what is kept.

What is checked is what clients were told: an acknowledged upload is there, byte for byte, and ends
final. The seed decides what is sent and when the kill comes; the operating system decides the
rest, so a replay repeats the schedule, not every instruction.
"""

import asyncio
import hashlib
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from uuid import UUID

import httpx

from integration.servers import Server

CLIENTS = 4
LARGEST = 8 * 1024 * 1024  # bytes
ACCOUNT = {"email": "kill@example.org", "password": "a long enough password"}
MOST_SECONDS = 60  # until a file is final, at the end: a lease, waits between attempts, its turn
STALE = timedelta(seconds=60)  # how long a job may be `processing` without a live lease


@dataclass(frozen=True)
class Acked:
    """A file whose upload was answered with 201."""

    id: str
    sha256: str
    size: int


@dataclass
class Tally:
    """What happened; printed, so that a run can be judged."""

    seed: int
    kills: int = 0
    kills_in_flight: int = 0  # that hit at least one upload
    acked: list[Acked] = field(default_factory=list)
    cut: int = 0  # uploads that ended without an answer

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.kills} kills, {self.kills_in_flight} of them during an "
            f"upload; {len(self.acked)} uploads acknowledged, {self.cut} cut off"
        )


NOT_DONE_ONCE = """
    SELECT f.id, f.status, count(j.id) AS jobs FROM files f LEFT JOIN jobs j ON j.file_id = f.id
    GROUP BY f.id HAVING count(j.id) = 0 OR f.status NOT IN ('processed', 'failed')
    OR count(*) FILTER (WHERE j.status = 'completed' AND j.generation = f.generation)
        <> CASE f.status WHEN 'processed' THEN 1 ELSE 0 END
    OR count(*) FILTER (WHERE j.status IN ('queued', 'processing')) > 0
"""
"""The files that break the rule, asked in every database's SQL: each is final and has had a job, a
processed one has exactly one completed job in its generation, and none has a live one."""


class Victim(Protocol):
    """What is killed."""

    @property
    def url(self) -> str:
        """Of its API, while it runs."""

    def start(self) -> None:
        """What does not run, until it does."""

    def kill(self, rng: random.Random) -> None:
        """All of it, or the part that `rng` chooses; returns once that is gone."""

    def no_stale_lease(self) -> None:
        """Fails when a job is `processing` whose lease was over for more than STALE."""


@dataclass(frozen=True)
class Embedded:
    """All of docstore in one `serve`."""

    server: Server

    @property
    def url(self) -> str:
        return self.server.url

    def start(self) -> None:
        self.server.start()

    def kill(self, _: random.Random) -> None:
        self.server.kill()

    def no_stale_lease(self) -> None:
        sql = "SELECT id, lease_until FROM jobs WHERE status = 'processing'"
        for row in rows(self.server.data_dir, sql):
            lease = datetime.fromisoformat(row["lease_until"]).replace(tzinfo=UTC)
            assert datetime.now(UTC) - lease < STALE, dict(row)


@dataclass
class KillLoop:
    """One run: `kills` times start, upload, kill; then a last start and the reckoning."""

    victim: Victim
    seed: int
    kills: int
    tally: Tally = field(init=False)
    in_flight: int = 0
    is_over: bool = False  # the round: whoever still gets answers asks no more

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.tally = Tally(self.seed)

    async def run(self) -> Tally:
        for _ in range(self.kills):
            await self._round()
        await asyncio.to_thread(self.victim.start)
        async with self._client() as client:
            await self._sign_in(client)
            await self._all_final(client)
            for acked in self.tally.acked:
                await self._check(client, acked)
        return self.tally

    async def _round(self) -> None:
        before, self.is_over = len(self.tally.acked), False
        await asyncio.to_thread(self.victim.start)
        async with self._client() as client:
            await self._sign_in(client)
            for acked in self._some(self.tally.acked[:before]):
                await self._check(client, acked)
            seeds = [self.random.getrandbits(32) for _ in range(CLIENTS)]
            uploads = [asyncio.create_task(self._uploads(client, seed)) for seed in seeds]
            await asyncio.sleep(self.random.uniform(0.005, 0.4))
            self.tally.kills += 1
            self.tally.kills_in_flight += self.in_flight > 0
            self.victim.kill(self.random)
            self.is_over = True
            await asyncio.gather(*uploads)
        self.victim.no_stale_lease()

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.victim.url, timeout=MOST_SECONDS + 30)

    def _some(self, acked: list[Acked]) -> list[Acked]:
        """The latest, where a kill would show, and a few of all."""
        return acked[-10:] + self.random.sample(acked, min(5, len(acked)))

    async def _sign_in(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/auth/login", json=ACCOUNT)
        if answer.status_code == 401:
            (await client.post("/auth/register", json=ACCOUNT)).raise_for_status()
            answer = await client.post("/auth/login", json=ACCOUNT)
        answer.raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def _uploads(self, client: httpx.AsyncClient, seed: int) -> None:
        """Upload until the server is gone, or others are."""
        rng = random.Random(seed)
        while not self.is_over:
            bodies = [body(rng) for _ in range(rng.choice((1, 1, 1, 3)))]
            self.in_flight += 1
            try:
                answer = await self._send(client, rng, bodies)
            except httpx.TransportError:
                self.tally.cut += 1
                return
            finally:
                self.in_flight -= 1
            assert answer.status_code == 201, answer.text
            said = answer.json()
            for data, item in zip(bodies, said.get("items", [said]), strict=True):
                digest = hashlib.sha256(data).hexdigest()
                assert item["sha256"] == digest
                self.tally.acked.append(Acked(item["id"], digest, len(data)))

    async def _send(
        self, client: httpx.AsyncClient, rng: random.Random, bodies: list[bytes]
    ) -> httpx.Response:
        if len(bodies) == 1 and rng.random() < 0.5:
            headers = {"Content-Type": "application/octet-stream"}
            return await client.post("/files?filename=a.txt", content=bodies[0], headers=headers)
        form = [("file", (f"{n}.txt", data)) for n, data in enumerate(bodies)]
        return await client.post("/upload", files=form)

    async def _check(self, client: httpx.AsyncClient, acked: Acked) -> None:
        answer = await client.get(f"/files/{acked.id}/content")
        assert answer.status_code == 200, f"{acked} is lost: {answer.text}"
        assert len(answer.content) == acked.size
        assert hashlib.sha256(answer.content).hexdigest() == acked.sha256, f"{acked} has changed"

    async def _all_final(self, client: httpx.AsyncClient) -> None:
        """Those of uploads that were cut off after their commit as well: nobody knows their ids.

        Oldest first: as long as kills come, hardly any is processed, so the newest has thousands
        before it.
        """
        for status in ("uploaded", "processing"):
            while (left := await self._oldest(client, status)) is not None:
                answer = await client.get(f"/files/{left}", params={"wait": MOST_SECONDS})
                assert answer.json()["status"] in ("processed", "failed"), answer.text
        for acked in self.tally.acked:
            answer = await client.get(f"/files/{acked.id}")
            assert answer.json()["status"] in ("processed", "failed"), answer.text

    async def _oldest(self, client: httpx.AsyncClient, status: str) -> str | None:
        asked = {"status": status, "sort": "uploaded_at", "page_size": "1"}
        answer = await client.get("/files", params=asked)
        items = answer.raise_for_status().json()["items"]
        return items[0]["id"] if items else None


def body(rng: random.Random) -> bytes:
    """1 byte to 8 MiB: small ones often, text and noise."""
    size = int(LARGEST ** rng.random())
    if rng.random() < 0.7:
        return (b"words of a text that is read. " * (size // 30 + 1))[:size]
    return rng.randbytes(size)


def rows(data_dir: Path, sql: str) -> list[sqlite3.Row]:
    uri = f"file:{data_dir / 'docstore.db'}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as db:
        db.row_factory = sqlite3.Row
        return db.execute(sql).fetchall()


def one_completed_job_per_generation(data_dir: Path) -> None:
    wrong = rows(data_dir, NOT_DONE_ONCE)
    assert not wrong, [dict(row) for row in wrong[:5]]


def files_in(data_dir: Path) -> set[UUID]:
    """The ids of all files that have a row, acknowledged or not."""
    return {UUID(row["id"]) for row in rows(data_dir, "SELECT id FROM files")}
