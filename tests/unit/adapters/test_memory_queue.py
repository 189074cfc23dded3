import asyncio
from datetime import timedelta

import anyio
import pytest

from docstore.adapters.queue.memory import MemoryJobQueue, connect
from docstore.application.ports.job_queue import JobQueue
from docstore.domain.errors import Unavailable
from docstore.domain.ids import JobId
from docstore.testing.job_queue import JobQueueContract, jobs

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class TestMemoryJobQueue(JobQueueContract):
    @pytest.fixture
    async def queue(self) -> JobQueue:
        return connect("memory://")


async def test_a_full_queue_makes_send_wait_for_room() -> None:
    queue = MemoryJobQueue(limit=2)
    sent: list[JobId] = []
    taken = asyncio.Event()

    async def send(job_id: JobId) -> None:
        await queue.send(job_id)
        sent.append(job_id)

    async def take(_: JobId) -> None:
        taken.set()

    async with anyio.create_task_group() as group:
        for job_id in jobs(3):
            group.start_soon(send, job_id)
        await anyio.wait_all_tasks_blocked()
        assert sent == jobs(2)
        async with queue.consume(take, slots=1):
            await taken.wait()
            await anyio.wait_all_tasks_blocked()
    assert sent == jobs(3)


async def test_a_queue_that_stays_full_is_unavailable() -> None:
    queue = MemoryJobQueue(limit=1, patience=timedelta(milliseconds=5))
    first, second = jobs(2)
    await queue.send(first)
    with pytest.raises(Unavailable, match="1 hints"):
        await queue.send(second)


async def test_sixty_four_hints_may_be_pending() -> None:
    queue = connect("memory://", durable=False)
    async with asyncio.timeout(10):
        for job_id in jobs(64):
            await queue.send(job_id)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await queue.send(jobs(65)[-1])


async def test_a_handler_that_cancels_itself_costs_no_slot() -> None:
    queue = MemoryJobQueue()
    first, second = jobs(2)
    done = asyncio.Event()

    async def handle(job_id: JobId) -> None:
        if job_id == first:
            raise asyncio.CancelledError
        done.set()

    async with queue.consume(handle, slots=1):
        await queue.send(first)
        await queue.send(second)
        async with asyncio.timeout(10):
            await done.wait()


async def test_leaving_is_not_held_up_by_a_handler_that_swallows_its_cancellation() -> None:
    queue = MemoryJobQueue()
    inside = asyncio.Event()

    async def handle(job_id: JobId) -> None:
        inside.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    async with asyncio.timeout(10):
        async with queue.consume(handle, slots=1):
            await queue.send(jobs(1)[0])
            await inside.wait()


async def test_it_answers() -> None:
    await MemoryJobQueue().ping()
