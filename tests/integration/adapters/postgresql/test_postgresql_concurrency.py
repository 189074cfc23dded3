"""What many processes do at once, each with a pool of its own: on SQLite one writer kept the
others waiting; here they meet.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext, suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from docstore.adapters.persistence.sql.postgresql.database import PostgresqlDatabase, connect
from docstore.adapters.persistence.sql.tables import file_counts, files
from docstore.application.deleting import DeleteFile, DeleteUser
from docstore.application.dispatching import Dispatch, Reconcile, ReleaseExpired, ReleaseHeldBy
from docstore.application.editing import Edit
from docstore.application.ports.unit_of_work import Begin
from docstore.application.repeating import ClaimKey
from docstore.application.retrying import RetryByHand
from docstore.domain.editing import Changes
from docstore.domain.errors import Conflict, DocstoreError, InProgress, NotFound
from docstore.domain.file import File
from docstore.domain.idempotency import IdempotencyKey
from docstore.domain.ids import JobId, LeaseToken
from docstore.domain.job import Job
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.retry import RetryPolicy
from docstore.testing import a_file, a_job, a_purge, a_user
from docstore.testing.builders import MOMENT
from docstore.testing.unit_of_work.saving import save

pytestmark = pytest.mark.anyio

MANY = 20
RETRY = RetryPolicy()
LEASE = timedelta(seconds=30)


@pytest.fixture
async def begins(url: str) -> AsyncIterator[Sequence[Begin]]:
    """Of four processes."""
    async with AsyncExitStack() as stack:
        databases = [await stack.enter_async_context(connect(url)) for _ in range(4)]
        yield [database.begin for database in databases]


async def at_once(begins: Sequence[Begin], act: Callable[[Begin], Awaitable[Any]]) -> list[Any]:
    """What `act` returned, or the DocstoreError that it raised, of MANY at the same time."""

    async def one(begin: Begin) -> Any:
        try:
            return await act(begin)
        except DocstoreError as error:
            return error

    return await asyncio.gather(*(one(begins[n % len(begins)]) for n in range(MANY)))


def no_jitter() -> float:
    return 0.0


class TellsNobody:
    """A queue that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[JobId] = []

    async def send(self, job_id: JobId) -> None:
        self.told.append(job_id)

    def consume(
        self, handle: Callable[[JobId], Awaitable[None]], *, slots: int
    ) -> AbstractAsyncContextManager[None]:
        return nullcontext()


async def test_many_dispatchers_tell_each_job_once(begins: Sequence[Begin]) -> None:
    jobs = [a_purge() for _ in range(100)]
    await save(begins[0], *jobs)
    queue = TellsNobody()

    async def dispatch(begin: Begin) -> None:
        while await Dispatch(begin, queue, LEASE)(limit=16):
            pass

    await at_once(begins, dispatch)
    await dispatch(begins[0])  # what was in other hands at each look
    assert Counter(queue.told) == {job.id: 1 for job in jobs}


async def test_many_reapers_expire_each_lease_once(begins: Sequence[Begin]) -> None:
    held = [claimed(a_purge()) for _ in range(10)]
    await save(begins[0], *held)
    reaped = await at_once(begins, lambda begin: ReleaseExpired(begin, RETRY, no_jitter)())
    assert sum(reaped) == len(held)
    for job in await jobs_of(begins[0], held):
        assert (job.status, job.version) == (JobStatus.QUEUED, held[0].version + 1)


async def test_a_lease_that_is_renewed_is_not_expired_unseen(begins: Sequence[Begin]) -> None:
    """A heartbeat makes no new version, so the reaper has to look while nobody can beat."""
    job = claimed(a_purge())
    await save(begins[0], job)
    assert job.lease_token is not None
    async with begins[0]() as tx:
        now = await tx.now()
        await tx.jobs.heartbeat(job.id, job.lease_token, now=now, lease_until=now + LEASE)
        assert await ReleaseExpired(begins[1], RETRY, no_jitter)() == 0
        await tx.commit()
    assert await ReleaseExpired(begins[1], RETRY, no_jitter)() == 0


async def test_many_starts_put_back_what_the_dead_held_once(begins: Sequence[Begin]) -> None:
    owner = a_user()
    theirs = [a_file(user_id=owner.id, status=FileStatus.PROCESSING) for _ in range(5)]
    held = [claimed(a_job(file_id=file.id, user_id=owner.id)) for file in theirs]
    await save(begins[0], owner, *theirs, *held)
    released = await at_once(begins, lambda begin: ReleaseHeldBy(begin, RETRY, no_jitter)("dead"))
    assert sum(released) == len(held)
    assert {job.status for job in await jobs_of(begins[0], held)} == {JobStatus.QUEUED}


async def test_many_reconcilers_give_a_file_one_job(begins: Sequence[Begin]) -> None:
    owner = a_user()
    lost = [a_file(user_id=owner.id) for _ in range(5)]
    await save(begins[0], owner, *lost)
    mended = await at_once(begins, lambda begin: Reconcile(begin, uuid4)())
    assert sum(mended) == len(lost)
    async with begins[0](read_only=True) as tx:
        assert [len(await tx.jobs.of_file(file.id)) for file in lost] == [1] * len(lost)


async def test_many_sweepers_forget_each_row_once(begins: Sequence[Begin]) -> None:
    done = [
        a_purge(status=JobStatus.COMPLETED, completed_at=MOMENT, due_at=MOMENT) for _ in range(50)
    ]
    await save(begins[0], *done)

    async def forget(begin: Begin) -> int:
        async with begin() as tx:
            count = await tx.upkeep.forget_purges(MOMENT + LEASE)
            await tx.commit()
        return count

    assert sum(await at_once(begins, forget)) == len(done)


async def test_one_address_makes_one_account(begins: Sequence[Begin]) -> None:
    ended = await at_once(begins, lambda begin: save(begin, a_user(email="one@example.org")))
    assert Counter(type(end) for end in ended)[type(None)] == 1
    assert all(end is None or isinstance(end, Conflict) for end in ended)


async def test_one_idempotency_key_has_one_holder(begins: Sequence[Begin]) -> None:
    owner = a_user()
    await save(begins[0], owner)
    over = asyncio.Event()
    key = IdempotencyKey("key")

    async def hold(begin: Begin) -> str:
        async with ClaimKey(begin, uuid4)(owner.id, key):
            await over.wait()
        return "held"

    tasks = [asyncio.create_task(hold(begins[n % len(begins)])) for n in range(MANY)]
    while sum(task.done() for task in tasks) < MANY - 1:
        await asyncio.wait(
            [task for task in tasks if not task.done()], return_when="FIRST_COMPLETED"
        )
    over.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert ended.count("held") == 1
    assert sum(isinstance(end, InProgress) for end in ended) == MANY - 1


async def test_no_edit_is_lost(begins: Sequence[Begin]) -> None:
    owner, file = await an_owner_with_a_file(begins[0])
    keys = iter(range(MANY))

    async def edit(begin: Begin) -> None:
        patch: Changes = {"metadata": {str(next(keys)): True}}
        await Edit(begin)(owner=owner.id, id=file.id, changes=patch, merge=True)

    ended = await at_once(begins, edit)
    async with begins[0](read_only=True) as tx:
        stored = await tx.files.get(file.id)
    kept = len(stored.details.metadata)
    assert kept == ended.count(None)
    assert stored.version == file.version + kept


async def test_a_second_press_finds_the_first(begins: Sequence[Begin]) -> None:
    owner = a_user()
    file = a_file(user_id=owner.id, status=FileStatus.FAILED)
    await save(begins[0], owner, file)
    ended = await at_once(
        begins, lambda begin: RetryByHand(begin, uuid4)(owner=owner.id, id=file.id)
    )
    assert sum(isinstance(end, File) for end in ended) == 1
    assert sum(isinstance(end, Conflict) for end in ended) == MANY - 1


async def test_counts_are_right_whatever_happens_at_once(
    begins: Sequence[Begin], database: PostgresqlDatabase
) -> None:
    owner = a_user()
    every = [a_file(user_id=owner.id) for _ in range(40)]
    await save(begins[0], owner, *every, *(a_job(file_id=f.id, user_id=owner.id) for f in every))

    async def live(begin: Begin) -> None:
        for file in every:
            with suppress(Conflict, NotFound):
                await process(begin, file)
            if file.id.int % 3 == 0:
                with suppress(NotFound):
                    await DeleteFile(begin, uuid4)(owner=owner.id, id=file.id)
            with suppress(Conflict, NotFound):
                await RetryByHand(begin, uuid4)(owner=owner.id, id=file.id, force=True)
            await save(begin, a_file(user_id=owner.id))

    ended = await at_once(begins, live)
    assert ended == [None] * MANY  # no deadlock among them
    assert await counts(database, file_counts) == await counts(database, files)


async def test_an_account_goes_while_everybody_works_on_it(
    begins: Sequence[Begin], database: PostgresqlDatabase
) -> None:
    owner = a_user()
    every = [a_file(user_id=owner.id) for _ in range(30)]
    await save(begins[0], owner, *every, *(a_job(file_id=f.id, user_id=owner.id) for f in every))
    added: list[File] = []

    async def live(begin: Begin) -> None:
        for file in every:
            new = a_file(user_id=owner.id)
            with suppress(NotFound):
                await save(begin, new)
                added.append(new)
            with suppress(Conflict, NotFound):
                await process(begin, file)

    gone = asyncio.create_task(deleted(begins[1], owner.id))
    await at_once(begins, live)
    await gone
    async with begins[0](read_only=True) as tx:
        assert await tx.files.after(None, limit=9) == []
        due = await tx.jobs.due(await tx.now(), told_before=MOMENT, limit=999)
    purged = {prefix for job in due for prefix in job.payload}
    assert all(any(str(file.id) in prefix for prefix in purged) for file in (*every, *added))
    assert await counts(database, file_counts) == {}


async def deleted(begin: Begin, owner: Any) -> None:
    while True:
        with suppress(DocstoreError):
            await DeleteUser(begin, uuid4)(owner)
            return


async def process(begin: Begin, file: File) -> None:
    """As a worker does: the job first, then its file."""
    async with begin() as tx:
        jobs = await tx.jobs.of_file(file.id)
        if not jobs:
            raise NotFound("file", file.id)
        started = jobs[0].start(
            now=await tx.now(), lease=LEASE, token=LeaseToken(uuid4()), worker="w"
        )
        await tx.jobs.update(started)
        current = await tx.files.get(file.id)
        if current.status is FileStatus.UPLOADED:
            await tx.files.update(current.start(MOMENT))
        await tx.commit()


async def an_owner_with_a_file(begin: Begin) -> tuple[Any, File]:
    owner = a_user()
    file = a_file(user_id=owner.id)
    await save(begin, owner, file)
    return owner, file


def claimed(job: Job) -> Job:
    """By a worker that is dead."""
    token = LeaseToken(uuid4())
    return job.start(now=MOMENT, lease=LEASE, token=token, worker="dead:1")


async def jobs_of(begin: Begin, jobs: Sequence[Job]) -> Sequence[Job]:
    async with begin(read_only=True) as tx:
        return [await tx.jobs.get(job.id) for job in jobs]


async def counts(database: PostgresqlDatabase, table: Any) -> dict[tuple[Any, str], int]:
    total = func.sum(table.c.total) if "total" in table.c else func.count()
    statement = (
        select(table.c.user_id, table.c.status, total)
        .group_by(table.c.user_id, table.c.status)
        .having(total > 0)
    )
    async with database._readers.connect() as db:
        return {(row[0], row[1]): int(row[2]) for row in await db.execute(statement)}
