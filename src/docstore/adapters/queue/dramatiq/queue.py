"""Hints between processes: Dramatiq on Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import Final, Self, TypeVar

import redis
from dramatiq import Worker
from redis.exceptions import RedisError

from docstore.adapters.ending import finished
from docstore.adapters.outage import Outage, reason
from docstore.adapters.queue.dramatiq.bridge import Bridge
from docstore.adapters.queue.dramatiq.broker import HintBroker
from docstore.adapters.queue.dramatiq.consumer import hang_up
from docstore.adapters.queue.dramatiq.hints import hint
from docstore.adapters.queue.dramatiq.intake import Intake
from docstore.adapters.queue.dramatiq.workers import worker_of
from docstore.adapters.queue.handling import Handle
from docstore.domain.errors import Unavailable
from docstore.domain.ids import JobId

ROOM_PAUSE: Final = 0.05  # seconds between looks whether a full queue has room
CHECK: Final = 0.5  # seconds for a sign of life, which may be the first command of a process
STOP: Final = 10_000  # milliseconds for threads to end, of which none waits longer for Redis
T = TypeVar("T")


class DramatiqJobQueue:
    """Bounded, for all who share it: a `send` waits while `max_hints` are pending, for `patience`
    at most. It waits for Redis itself no longer than `timeout`.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        prefix: str,
        timeout: float,  # seconds
        max_hints: int,
        patience: timedelta = timedelta(seconds=5),
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._timeout = timeout
        self._max_hints = max_hints
        self._patience = patience
        self._intakes: set[Intake] = set()
        self._outage = Outage("the queue in Redis", "jobs wait until it does")
        self._sender = self._broker(Intake(0))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="queue")

    async def send(self, job_id: JobId) -> None:
        clock = asyncio.get_running_loop().time
        until = clock() + self._patience.total_seconds()
        while not await self._within(self._timeout, lambda: self._put(job_id)):
            if clock() >= until:
                raise Unavailable(f"{self._max_hints} hints are pending already")
            await asyncio.sleep(ROOM_PAUSE)
        for intake in self._intakes:
            intake.ring()

    @asynccontextmanager
    async def consume(self, handle: Handle, *, slots: int) -> AsyncIterator[None]:
        intake, bridge = Intake(slots), Bridge(handle)
        worker = worker_of(self._broker(intake), bridge, threads=slots)
        self._intakes.add(intake)
        try:
            worker.start()
            yield
        finally:
            self._intakes.discard(intake)
            intake.shut()
            await finished(asyncio.create_task(_stop(bridge, worker)))

    async def ping(self) -> None:
        """Unavailable when it would take no hint."""
        await self._within(max(self._timeout, CHECK), self._sender.touch)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._client.close)

    def _broker(self, intake: Intake) -> HintBroker:
        return HintBroker(self._client, self._prefix, intake, self._outage)

    def _put(self, job_id: JobId) -> bool:
        """Whether there was room."""
        if self._sender.pending() >= self._max_hints:
            return False
        self._sender.enqueue(hint(job_id))
        return True

    def _try(self, step: Callable[[], T]) -> T:
        try:
            return step()
        except RedisError:
            hang_up(self._sender)
            raise

    async def _within(self, seconds: float, step: Callable[[], T]) -> T:
        """In the thread, one after the other: while one hangs the next do not wait long either."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                result = await loop.run_in_executor(self._thread, self._try, step)
        except (RedisError, TimeoutError) as error:
            self._outage.goes_on(error)
            raise Unavailable(f"the queue in Redis: {reason(error)}") from error
        self._outage.is_over()
        return result


async def _stop(bridge: Bridge, worker: Worker) -> None:
    """In this order: the threads wait for what runs on the bridge."""
    await bridge.close()
    await asyncio.to_thread(worker.stop, STOP)
