from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest

from docstore.adapters.persistence.memory import MemoryDatabase
from docstore.application.dispatching import Dispatch
from docstore.application.ports.job_queue import JobQueue
from docstore.domain.errors import Unavailable
from docstore.domain.ids import JobId, LeaseToken
from docstore.domain.job import Job
from docstore.testing.builders import MOMENT, a_file, a_job, a_user

pytestmark = pytest.mark.anyio

NOW = MOMENT + timedelta(hours=1)
PATIENCE = timedelta(minutes=1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Queue:
    """Takes as many hints as it is told to."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.hints: list[JobId] = []

    async def send(self, job_id: JobId) -> None:
        if len(self.hints) == self.room:
            raise Unavailable("no room")
        self.hints.append(job_id)

    def consume(self, handle: object, *, slots: int) -> AbstractAsyncContextManager[None]:
        raise NotImplementedError


@pytest.fixture
async def database() -> MemoryDatabase:
    """With five jobs that are due."""
    database = MemoryDatabase(lambda: NOW)
    async with database.begin() as tx:
        await tx.users.add(user := a_user())
        for _ in range(5):
            await tx.files.add(file := a_file(user_id=user.id))
            await tx.jobs.add(Job.process(file, id=a_job().id, now=MOMENT))
        await tx.commit()
    return database


async def untold(database: MemoryDatabase) -> int:
    async with database.begin(read_only=True) as tx:
        return len(await tx.jobs.due(NOW, told_before=NOW - PATIENCE, limit=100))


async def test_a_hint_that_is_not_taken_is_given_at_the_next_turn(database: MemoryDatabase) -> None:
    """Not only after the patience, which is for hints that were lost."""
    queue = Queue(room=2)
    typed: JobQueue = queue
    dispatch = Dispatch(database.begin, typed, PATIENCE)
    with pytest.raises(Unavailable):
        await dispatch()
    assert (len(queue.hints), await untold(database)) == (2, 3)
    queue.room = 1000
    assert await dispatch() == 3
    assert (len(set(queue.hints)), await untold(database)) == (5, 0)


async def test_a_job_that_was_begun_meanwhile_is_left_alone(database: MemoryDatabase) -> None:
    class Mute(Queue):
        """Takes the hint, which is acted on at once, and does not say so."""

        async def send(self, job_id: JobId) -> None:
            async with database.begin() as tx:
                job = await tx.jobs.get(job_id)
                token = LeaseToken(a_job().id)
                await tx.jobs.update(job.start(now=NOW, lease=PATIENCE, token=token, worker="w"))
                await tx.commit()
            raise Unavailable("no answer in time")

    with pytest.raises(Unavailable, match="in time"):
        await Dispatch(database.begin, Mute(0), PATIENCE)()
    async with database.begin(read_only=True) as tx:
        assert (await tx.upkeep.backlog(NOW)).processing == 1
    assert await untold(database) == 4
