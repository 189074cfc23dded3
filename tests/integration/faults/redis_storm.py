"""Uploads while harm is done to the queue's Redis, or to workers; and what became of each job."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from integration.clients import ACCOUNT
from integration.faults.kill_loop import one_completed_job_per_generation, rows
from integration.servers import Server

CLIENTS: Final = 8
WITHIN: Final = 90.0  # seconds from the end of all harm to the end of the last job


@dataclass
class Storm:
    """`uploads` in all. `harm` begins with the first of them, and jobs are waited for once it is
    over; `reaches` tells it how far the uploads are.
    """

    server: Server
    uploads: int
    harm: Callable[["Storm"], Coroutine[Any, Any, None]]
    ids: list[str] = field(default_factory=list)
    took: float = 0.0  # seconds from the end of the harm to that of the last job

    async def run(self) -> None:
        async with httpx.AsyncClient(base_url=self.server.url, timeout=30) as client:
            await client.post("/auth/register", json=ACCOUNT)
            answer = (await client.post("/auth/login", json=ACCOUNT)).raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            numbers = iter(range(self.uploads))
            async with asyncio.TaskGroup() as group:
                group.create_task(self.harm(self))
                for _ in range(CLIENTS):
                    group.create_task(self._upload(client, numbers))
        began = time.monotonic()
        await self._all_final()
        self.took = time.monotonic() - began

    async def reaches(self, share: float) -> None:
        """Until so much of the uploads is done."""
        await until(lambda: len(self.ids) >= share * self.uploads, 300)

    def each_job_had_one_effect(self) -> None:
        assert len(set(self.ids)) == self.uploads
        assert self._statuses("files") == {"processed": self.uploads}
        assert self._statuses("jobs") == {"completed": self.uploads}
        one_completed_job_per_generation(self.server.data_dir)
        assert self.server.command("fsck", "--grace", "0")["clean"]

    async def _upload(self, client: httpx.AsyncClient, numbers: Iterator[int]) -> None:
        headers = {"Content-Type": "application/octet-stream"}
        for number in numbers:
            path = f"/files?filename={number}.txt"
            answer = await client.post(path, content=b"words %d" % number, headers=headers)
            assert answer.status_code == 201, answer.text
            self.ids.append(answer.json()["id"])

    async def _all_final(self) -> None:
        """By the rows: asking for each over HTTP would cost more than processing it."""
        final = {"processed", "failed"}
        await until(lambda: self._statuses("files").keys() <= final, WITHIN)

    def _statuses(self, table: str) -> Counter[str]:
        found = rows(self.server.data_dir, f"SELECT status FROM {table}")
        return Counter(row["status"] for row in found)


async def until(holds: Callable[[], bool], seconds: float) -> None:
    """Fails when it does not hold by then."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  (other processes do not tell us)
            await asyncio.sleep(0.05)
