"""Stop and start a server again and again under uploads and downloads: nobody may notice more than
that it was away for a moment.
"""

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx

from integration.servers import STOP_SECONDS, Server

ACCOUNT: Final = {"email": "roll@example.org", "password": "a long enough password"}
QUICK, SLOW, READERS = 2, 2, 2  # clients
PIECES: Final = 8  # that a slow body comes in
PAUSE: Final = 0.05  # seconds between pieces
LARGE: Final = 8 * 1024 * 1024  # bytes; more than the kernel holds for a slow reader


@dataclass
class Tally:
    """What happened; printed, so that a run can be judged."""

    seed: int
    restarts: int = 0
    in_flight: list[int] = field(default_factory=list)  # requests, at each SIGTERM
    acked: dict[str, str] = field(default_factory=dict)  # id of a file, and its SHA-256
    read: int = 0  # downloads
    refused: int = 0  # connections: nobody listened
    broken: list[str] = field(default_factory=list)  # requests that got no answer, or a wrong one
    slowest_stop: float = 0.0  # seconds

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.restarts} restarts with {self.in_flight} requests in "
            f"flight; {len(self.acked)} uploads, {self.read} downloads, {len(self.broken)} broken; "
            f"{self.refused} connections refused; the slowest stop took {self.slowest_stop:.1f} s"
        )


class RollingRestart:
    """`server` needs a port of its own. It has so many `jobs` to do from the beginning, and more
    with each upload.
    """

    def __init__(self, server: Server, seed: int, *, restarts: int, jobs: int) -> None:
        self._server = server
        self._restarts = restarts
        self._jobs = jobs
        self._random = random.Random(seed)
        self._running = 0  # requests
        self._is_over = False
        self._large = ""  # id of the file that is downloaded
        self.tally = Tally(seed)

    async def run(self) -> Tally:
        """Returns with the server running, once all that was acknowledged is processed, and has
        come back.
        """
        await asyncio.to_thread(self._server.start)
        # Between two requests a server may close a connection at any time, so each has its own.
        headers = {"Connection": "close"}
        async with httpx.AsyncClient(
            base_url=self._server.url, headers=headers, timeout=60
        ) as self._client:
            await self._sign_in()
            self._large = await self._store("large.bin", self._random.randbytes(LARGE))
            for number in range(self._jobs):
                await self._store("a.txt", b"%d words" % number)
            await self._roll()
            await self._check()
        return self.tally

    async def _sign_in(self) -> None:
        (await self._client.post("/auth/register", json=ACCOUNT)).raise_for_status()
        answer = await self._client.post("/auth/login", json=ACCOUNT)
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self._client.headers["Content-Type"] = "application/octet-stream"

    async def _roll(self) -> None:
        clients = [asyncio.create_task(self._upload(pieces=1)) for _ in range(QUICK)]
        clients += [asyncio.create_task(self._upload(pieces=PIECES)) for _ in range(SLOW)]
        clients += [asyncio.create_task(self._download()) for _ in range(READERS)]
        try:
            while self.tally.restarts < self._restarts:
                await asyncio.sleep(self._random.uniform(0.3, 0.9))
                await self._restart()
        finally:
            self._is_over = True
            await asyncio.gather(*clients)

    async def _restart(self) -> None:
        self.tally.in_flight.append(self._running)
        began = time.monotonic()
        status = await asyncio.to_thread(self._server.stop)
        took = time.monotonic() - began
        assert (status, took < STOP_SECONDS) == (0, True), (status, took)
        self.tally.slowest_stop = max(self.tally.slowest_stop, took)
        await asyncio.to_thread(self._server.start)
        self.tally.restarts += 1

    async def _check(self) -> None:
        for file_id, sha256 in self.tally.acked.items():
            answer = await self._client.get(f"/files/{file_id}?wait=60")
            assert answer.json()["status"] == "processed", answer.text
            answer = await self._client.get(f"/files/{file_id}/content")
            assert hashlib.sha256(answer.content).hexdigest() == sha256

    async def _upload(self, *, pieces: int) -> None:
        rng = random.Random(self._random.getrandbits(32))
        while not self._is_over:
            word = b"%032x is a word of its own.\n" % rng.getrandbits(128)  # text is processed
            data = word * rng.choice((1, 9, 9999))
            with self._noted():
                await self._store("a.txt", data, pieces=pieces)
            await asyncio.sleep(rng.uniform(0.1, 0.6))

    async def _store(self, name: str, data: bytes, *, pieces: int = 1) -> str:
        answer = await self._client.post(f"/files?filename={name}", content=_cut(data, pieces))
        assert answer.status_code == 201, answer.text
        file_id = str(answer.json()["id"])
        self.tally.acked[file_id] = hashlib.sha256(data).hexdigest()
        return file_id

    async def _download(self) -> None:
        while not self._is_over:
            with self._noted():
                await self._read_slowly()
            await asyncio.sleep(PAUSE)

    async def _read_slowly(self) -> None:
        digest = hashlib.sha256()
        async with self._client.stream("GET", f"/files/{self._large}/content") as answer:
            async for piece in answer.aiter_bytes(LARGE // PIECES):
                digest.update(piece)
                await asyncio.sleep(PAUSE)
        assert digest.hexdigest() == self.tally.acked[self._large]
        self.tally.read += 1

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """While inside, a request runs; what goes wrong with it is noted."""
        self._running += 1
        try:
            yield
        except httpx.ConnectError:
            self.tally.refused += 1
        except (httpx.TransportError, AssertionError) as error:
            self.tally.broken.append(repr(error))
        finally:
            self._running -= 1


async def _cut(data: bytes, pieces: int) -> AsyncIterator[bytes]:
    size = -(-len(data) // pieces)
    for start in range(0, len(data), size):
        yield data[start : start + size]
        if pieces > 1:
            await asyncio.sleep(PAUSE)
