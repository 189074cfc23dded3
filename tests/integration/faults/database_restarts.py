"""Restart PostgreSQL again and again under uploads, lists and deletions: whoever asks meanwhile is
told so cleanly, and nothing that was acknowledged is lost.
"""

import asyncio
import hashlib
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from integration.servers import Server
from integration.services.postgresql import Postgresql

ACCOUNT: Final = {"email": "hold@example.org", "password": "a long enough password"}
UPLOADERS, READERS, DELETERS = 4, 2, 1
BETWEEN: Final = 12  # acknowledged uploads between two restarts
SMALLEST, LARGEST = 1, 40_000  # bytes
PATIENCE: Final = 120.0  # seconds, for something that must happen


@dataclass
class Tally:
    """What happened; printed, so that a run can be judged."""

    seed: int
    restarts: int = 0
    acked: dict[str, str] = field(default_factory=dict)  # id of a file, and its SHA-256
    deleted: set[str] = field(default_factory=set)
    listed: int = 0
    refused: int = 0  # requests: 503, cleanly
    broken: list[str] = field(default_factory=list)
    slowest: float = 0.0  # seconds for a refusal

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.restarts} restarts; {len(self.acked)} uploads, "
            f"{len(self.deleted)} deletions, {self.listed} lists; {self.refused} refused, the "
            f"slowest after {self.slowest:.1f} s; {len(self.broken)} broken"
        )


class DatabaseRestarts:
    """`server` keeps its rows in `database`."""

    def __init__(self, server: Server, database: Postgresql, seed: int, *, restarts: int) -> None:
        self._server = server
        self._database = database
        self._restarts = restarts
        self._random = random.Random(seed)
        self._is_over = False
        self._doomed: set[str] = set()
        self._acked = asyncio.Event()
        self.tally = Tally(seed)

    async def run(self) -> Tally:
        """Returns with both running, once all that was acknowledged is processed."""
        async with httpx.AsyncClient(base_url=self._server.url, timeout=60) as self._client:
            (await self._client.post("/auth/register", json=ACCOUNT)).raise_for_status()
            answer = await self._client.post("/auth/login", json=ACCOUNT)
            token = answer.raise_for_status().json()["access_token"]
            self._client.headers["Authorization"] = f"Bearer {token}"
            await self._restart_under_load()
            await self._check()
        return self.tally

    async def _restart_under_load(self) -> None:
        async with asyncio.TaskGroup() as group:
            for act, many in (
                (self._upload, UPLOADERS),
                (self._list, READERS),
                (self._delete, DELETERS),
            ):
                for _ in range(many):
                    group.create_task(self._until_over(act))
            for number in range(self._restarts):
                await self._more_uploads()
                # Every other time it crashes, and recovers what it had committed.
                how = signal.SIGQUIT if number % 2 else signal.SIGINT
                await asyncio.to_thread(self._database.restart, how)
                self.tally.restarts += 1
            await self._more_uploads()
            self._is_over = True

    async def _more_uploads(self) -> None:
        goal = len(self.tally.acked) + BETWEEN
        async with asyncio.timeout(PATIENCE):
            while len(self.tally.acked) < goal:
                self._acked.clear()
                await self._acked.wait()

    async def _until_over(self, act: Callable[[], Awaitable[None]]) -> None:
        while not self._is_over:
            await act()

    async def _upload(self) -> None:
        data = self._random.randbytes(self._random.randint(SMALLEST, LARGEST))
        headers = {"Content-Type": "application/octet-stream"}
        params = {"filename": "a.bin"}
        answer = await self._ask(
            "POST", "/files", 201, params=params, content=data, headers=headers
        )
        if answer is not None:
            self.tally.acked[answer.json()["id"]] = hashlib.sha256(data).hexdigest()
            self._acked.set()

    async def _list(self) -> None:
        answer = await self._ask("GET", "/files", 200, params={"q": "a.bin", "page_size": 10})
        if answer is not None:
            self.tally.listed += 1

    async def _delete(self) -> None:
        left = [ident for ident in self.tally.acked if ident not in self.tally.deleted]
        if len(left) < BETWEEN:
            await asyncio.sleep(0)  # enough of them shall stay
            return
        ident = self._random.choice(left)
        # After a 503 either may be true, so it is asked again until it is gone.
        expected = 404 if ident in self._doomed else 204
        self._doomed.add(ident)
        answer = await self._ask("DELETE", f"/files/{ident}", 204, expected)
        if answer is not None:
            self.tally.deleted.add(ident)

    async def _ask(self, method: str, path: str, *expected: int, **rest: Any) -> Any:
        """The answer; None when it was refused or broken."""
        began = time.monotonic()
        try:
            answer = await self._client.request(method, path, **rest)
        except httpx.HTTPError as error:
            self.tally.broken.append(f"{method} {path}: {error!r}")
            return None
        if answer.status_code in expected:
            return answer
        self.tally.slowest = max(self.tally.slowest, time.monotonic() - began)
        if answer.status_code == 503 and answer.headers.get("Retry-After"):
            self.tally.refused += 1
        else:
            self.tally.broken.append(f"{method} {path}: {answer.status_code} {answer.text}")
        return None

    async def _check(self) -> None:
        """Those that are there are whole, also those whose upload was refused, and yet saved."""
        there = [ident async for ident in self._listed()]
        kept = self.tally.acked.keys() - self._doomed
        assert kept <= set(there), "an upload that was acknowledged is lost"
        assert not self.tally.deleted & set(there), "what was deleted is there"
        for ident in there:
            view = await self._client.get(f"/files/{ident}", params={"wait": 60})
            assert view.json()["status"] == "processed", view.text
            body = (await self._client.get(f"/files/{ident}/content")).content
            digest = hashlib.sha256(body).hexdigest()
            assert digest == self.tally.acked.get(ident, view.json()["sha256"])

    async def _listed(self) -> AsyncIterator[str]:
        """The ids of all files."""
        params: dict[str, Any] = {"page_size": 100}
        while params:
            page = (await self._client.get("/files", params=params)).raise_for_status().json()
            for file in page["items"]:
                yield file["id"]
            cursor = page["next_cursor"]
            params = {"page_size": 100, "cursor": cursor} if cursor else {}
