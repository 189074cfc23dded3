"""A broker that keeps no promise: it loses, doubles, delays and reorders hints."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from docstore.domain.ids import JobId
from simulation.plan import Fault, Plan
from simulation.process import PROCESS, Process, outside
from simulation.wires import Line

Handler = Callable[[JobId], Awaitable[None]]


class Broker:
    """Shared by all processes; each reaches it through a `WiredQueue`."""

    def __init__(self, plan: Plan) -> None:
        self._chance = plan.chance("hints")
        self._is_lossy = Fault.HINTS in plan.faults
        self._idle: list[tuple[Process | None, asyncio.Future[JobId]]] = []
        self._waiting: list[JobId] = []
        self.is_calm = False

    def send(self, job_id: JobId) -> None:
        for _ in range(self._copies()):
            late = self._lossy(0.15) and self._chance.uniform(1, 90)
            delay = late or self._chance.uniform(0.0, 0.01)
            loop = asyncio.get_running_loop()
            loop.call_later(delay, self._deliver, job_id, context=outside())

    def _copies(self) -> int:
        if self._lossy(0.2):
            return 0
        return self._chance.randint(2, 4) if self._lossy(0.2) else 1

    def _lossy(self, chance: float) -> bool:
        return self._is_lossy and not self.is_calm and self._chance.random() < chance

    def _deliver(self, job_id: JobId) -> None:
        self._idle = [consumer for consumer in self._idle if not consumer[1].done()]
        if not self._idle:
            self._waiting.append(job_id)
            return
        process, slot = self._idle.pop(self._chance.randrange(len(self._idle)))
        if not (process and process.is_dead):  # who dies takes along the hint in its hand
            slot.set_result(job_id)

    async def next(self) -> JobId:
        if self._waiting:
            return self._waiting.pop(self._chance.randrange(len(self._waiting)))
        slot: asyncio.Future[JobId] = asyncio.get_running_loop().create_future()
        self._idle.append((PROCESS.get(), slot))
        return await slot


class WiredQueue:
    """The job queue as one process sees it."""

    def __init__(self, line: Line, broker: Broker) -> None:
        self._line = line
        self._broker = broker

    async def send(self, job_id: JobId) -> None:
        await self._line.before("send")
        self._broker.send(job_id)
        await self._line.after("send")

    @asynccontextmanager
    async def consume(self, handle: Handler, *, slots: int) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._serve(handle)) for _ in range(slots)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, handle: Handler) -> None:
        task = asyncio.current_task()
        while not (task and task.cancelling()):  # a handler may swallow the cancellation
            job_id = await self._broker.next()
            with suppress(Exception):
                await handle(job_id)
