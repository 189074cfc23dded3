import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

from docstore.adapters.ending import finished
from docstore.adapters.queue.handling import Handle, handle_safely, is_stopping
from docstore.domain.errors import Unavailable
from docstore.domain.ids import JobId


def connect(url: str, *, durable: bool = True) -> "MemoryJobQueue":
    """A new queue for each call, whatever the URL says. Hints need not be durable."""
    return MemoryJobQueue()


class MemoryJobQueue:
    """Hints inside this process, for a worker without a broker. Those unread are gone at exit.

    Bounded: a `send` waits while `limit` hints are pending, for `patience` at most.
    """

    def __init__(self, limit: int = 64, patience: timedelta = timedelta(seconds=5)) -> None:
        self._hints: asyncio.Queue[JobId] = asyncio.Queue(limit)
        self._patience = patience

    async def send(self, job_id: JobId) -> None:
        try:
            self._hints.put_nowait(job_id)
        except asyncio.QueueFull:
            await self._send_patiently(job_id)

    @asynccontextmanager
    async def consume(self, handle: Handle, *, slots: int) -> AsyncIterator[None]:
        running = [asyncio.create_task(self._serve(handle)) for _ in range(slots)]
        try:
            yield
        finally:
            await finished(asyncio.create_task(_stop(running)))

    async def ping(self) -> None:
        """Always answers."""

    async def _send_patiently(self, job_id: JobId) -> None:
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                await self._hints.put(job_id)
        except TimeoutError:
            raise Unavailable(f"{self._hints.qsize()} hints are pending already") from None

    async def _serve(self, handle: Handle) -> None:
        while not is_stopping():  # a handler may swallow the cancellation
            await handle_safely(handle, await self._hints.get())


async def _stop(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
