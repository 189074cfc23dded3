"""Every loop run by three workers at once, on one SQLite file: what is to be done is done once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

import docstore
from docstore.application.docstore import Background
from docstore.application.ports.unit_of_work import UnitOfWork
from docstore.domain.ids import FileId, JobId, LeaseToken
from docstore.domain.job import Job
from docstore.domain.keys import staging_key
from docstore.domain.lifecycle import JobStatus
from docstore.entrypoints.embedded import Store
from docstore.testing.builders import a_job

pytestmark = pytest.mark.anyio

FILES = 30
HOUR = timedelta(hours=1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def workers(tmp_path: Path) -> AsyncIterator[list[Background]]:
    """Each with connections of its own; FILES files are uploaded."""
    async with AsyncExitStack() as stack:
        opening = [docstore.open(tmp_path, worker=False) for _ in range(3)]
        stores = [await stack.enter_async_context(each) for each in opening]
        await upload(stores[0])
        yield [store.docstore.background for store in stores]
        await all_can_be_read(stores[0])


async def upload(store: Store) -> None:
    me = await store.accounts.ensure("me")
    for number in range(FILES):
        await store.upload(me, b"words", filename=f"{number}.txt")


async def all_can_be_read(store: Store) -> None:
    me = await store.accounts.ensure("me")
    assert [await store.read(me, file.id) async for file in store.files(me)] == [b"words"] * FILES


async def by_all(
    workers: Sequence[Background], loop: Callable[[Background], Callable[[], Awaitable[int]]]
) -> int:
    """How much they did together."""
    return sum(await asyncio.gather(*(loop(worker)() for worker in workers)))


async def change(worker: Background, act: Callable[[UnitOfWork, Job], Awaitable[None]]) -> None:
    """Each job that is due."""
    async with worker.dispatch.begin() as tx:
        for job in await due(tx):
            await act(tx, job)
        await tx.commit()


async def due(tx: UnitOfWork) -> Sequence[Job]:
    now = await tx.now()
    return await tx.jobs.due(now, told_before=now, limit=2 * FILES)


async def start(tx: UnitOfWork, job: Job, lease: timedelta) -> Job:
    token = LeaseToken(a_job().id)
    started = job.start(now=await tx.now(), lease=lease, token=token, worker="dead:1")
    await tx.jobs.update(started)
    return started


async def test_each_job_is_told_once(workers: list[Background]) -> None:
    told, enough = Counter[JobId](), asyncio.Event()

    async def handle(job_id: JobId) -> None:
        told[job_id] += 1
        if told.total() >= FILES:
            enough.set()

    async with AsyncExitStack() as stack:
        for worker in workers:
            await stack.enter_async_context(worker.queue.consume(handle, slots=2))
        assert await by_all(workers, lambda worker: worker.dispatch) == FILES
        await asyncio.wait_for(enough.wait(), 30)
    assert set(told.values()) == {1}


async def test_each_lease_that_is_over_is_ended_once(workers: list[Background]) -> None:
    async def begin_and_die(tx: UnitOfWork, job: Job) -> None:
        await start(tx, job, -HOUR)

    await change(workers[0], begin_and_die)
    assert await by_all(workers, lambda worker: worker.release_expired) == FILES
    async with workers[0].dispatch.begin(read_only=True) as tx:
        backlog = await tx.upkeep.backlog(await tx.now() + HOUR)
    assert (backlog.processing, backlog.due) == (0, FILES)


async def test_each_job_of_a_dead_worker_is_put_back_once(workers: list[Background]) -> None:
    async def begin_and_die(tx: UnitOfWork, job: Job) -> None:
        await start(tx, job, -HOUR)

    await change(workers[0], begin_and_die)
    reaped, released = await asyncio.gather(
        by_all(workers, lambda worker: worker.release_expired),
        by_all(workers, lambda worker: lambda: worker.release_held_by("dead:")),
    )
    assert reaped + released == FILES


async def test_each_stranded_file_is_given_one_job(workers: list[Background]) -> None:
    async def complete_without_the_file(tx: UnitOfWork, job: Job) -> None:
        started = await start(tx, job, HOUR)
        await tx.jobs.update(started.succeed(now=await tx.now()))

    await change(workers[0], complete_without_the_file)
    assert await by_all(workers, lambda worker: worker.reconcile) == FILES
    async with workers[0].dispatch.begin(read_only=True) as tx:
        jobs = await due(tx)
    assert {job.status for job in jobs} == {JobStatus.QUEUED}
    assert len({job.file_id for job in jobs}) == len(jobs) == FILES


async def test_all_may_sweep_at_once(workers: list[Background]) -> None:
    blobs = workers[0].sweep.blobs
    for _ in range(FILES):
        await blobs.put(staging_key(FileId(a_job().id)), pieces())
    swept = await asyncio.gather(*(worker.sweep(grace=timedelta(0)) for worker in workers))
    assert FILES <= sum(each.blobs for each in swept) <= 3 * FILES
    assert len([blob async for blob in blobs.list("staging/")]) == FILES


async def pieces() -> AsyncIterator[bytes]:
    yield b"what a crash left behind"
