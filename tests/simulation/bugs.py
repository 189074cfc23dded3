"""Bugs to be found. Each is one that docstore does not have, put in at the edge of its parts."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Self

from docstore.adapters.persistence.memory import MemoryJobs, MemoryUnitOfWork, Rows
from docstore.application.dispatching import ReleaseExpired
from docstore.application.docstore import Docstore
from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.unit_of_work import UnitOfWork
from docstore.application.processing import Processed, ProcessFile
from docstore.application.retrying import RetryByHand
from docstore.application.sweeping import Sweep, Swept
from docstore.application.tasks import Keep, Task
from docstore.application.working import Lease
from docstore.domain.errors import StaleVersion
from docstore.domain.file import File
from docstore.domain.ids import FileId, JobId, UserId
from docstore.domain.job import Job, JobType
from simulation.assembly import Ports, assemble
from simulation.observed import ObservedDatabase

Build = Callable[[Ports], Docstore]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One thing done wrong."""

    build: Build = assemble
    database: type[ObservedDatabase] = ObservedDatabase


NONE: Final = Bug()


class UnfencedJobs(MemoryJobs):
    async def update(self, entity: Job) -> None:
        def change(rows: Rows) -> None:
            if entity.id not in rows.jobs:
                raise StaleVersion("gone")
            rows.jobs[entity.id] = entity

        self._transaction.make(change)


class UnfencedUnit(MemoryUnitOfWork):
    async def commit(self) -> None:
        await super().commit()
        self.jobs = UnfencedJobs(self._transaction)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.jobs = UnfencedJobs(self._transaction)
        return self


class UnfencedDatabase(ObservedDatabase):
    """Whoever writes a job last is right, whatever version he had read."""

    def begin(self, *, read_only: bool = False, add_only: bool = False) -> MemoryUnitOfWork:
        return UnfencedUnit(self, read_only=read_only, add_only=add_only)


class HastySweep(Sweep):
    """Has no grace for what no row names *yet*."""

    async def __call__(self, *, grace: timedelta) -> Swept:
        return await Sweep.__call__(self, grace=timedelta(0))


def hasty_sweep(ports: Ports) -> Docstore:
    docstore = assemble(ports)
    sweep = HastySweep(ports.begin, ports.blobs)
    return replace(docstore, background=replace(docstore.background, sweep=sweep))


class WriteBehind:
    """Says that it has stored what it is going to store: the row comes before the bytes."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blobs, name)

    async def put(self, key: str, body: AsyncIterable[bytes]) -> None:
        chunks = [chunk async for chunk in body]

        async def again() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        asyncio.get_running_loop().create_task(self._blobs.put(key, again()))


def row_before_bytes(ports: Ports) -> Docstore:
    return assemble(replace(ports, blobs=WriteBehind(ports.blobs)))


def lease_never_renewed(ports: Ports) -> Docstore:
    never = timedelta(days=1)
    return assemble(replace(ports, lease=Lease(duration=ports.lease.duration, heartbeat=never)))


def never_told_again(ports: Ports) -> Docstore:
    return assemble(replace(ports, patience=timedelta(days=1000)))


class RetryForgetsFile(RetryByHand):
    async def __call__(self, *, owner: UserId, id: FileId, force: bool = False) -> File:
        async with self.begin() as tx:
            now = await tx.now()
            file = (await tx.files.owned(owner, id=id)).again(force=force, now=now)
            await tx.jobs.add(Job.process(file, id=JobId(self.new_id()), now=now))
            await tx.commit()
        return file


class RetryForgetsJob(RetryByHand):
    async def __call__(self, *, owner: UserId, id: FileId, force: bool = False) -> File:
        async with self.begin() as tx:
            file = await tx.files.owned(owner, id=id)
            file = file.again(force=force, now=await tx.now())
            await tx.files.update(file)
            await tx.commit()
        return file


def retry_forgets_file(ports: Ports) -> Docstore:
    return replace(assemble(ports), retry=RetryForgetsFile(ports.begin, ports.new_id))


def retry_forgets_job(ports: Ports) -> Docstore:
    return replace(assemble(ports), retry=RetryForgetsJob(ports.begin, ports.new_id))


class TidyBeforeCommit(ProcessFile):
    """Deletes what the row will not name any more before it does not."""

    async def run(self, job: Job, keep: Keep) -> Processed:
        processed = await ProcessFile.run(self, job, keep)
        await self.tidy(processed)
        return processed


def tidy_before_commit(ports: Ports) -> Docstore:
    return _with_task(ports, TidyBeforeCommit(ports.begin, ports.blobs, ports.extractor))


def _with_task(ports: Ports, process: Task) -> Docstore:
    docstore = assemble(ports)
    work = docstore.background.work
    tasks = {**work.tasks, JobType.PROCESS: process}
    return replace(
        docstore, background=replace(docstore.background, work=replace(work, tasks=tasks))
    )


class BeginsAnew(ProcessFile):
    """A new attempt forgets what the one before it has done."""

    async def begin(self, tx: UnitOfWork, job: Job) -> Job:
        return await ProcessFile.begin(self, tx, replace(job, steps=()))


def begins_anew(ports: Ports) -> Docstore:
    return _with_task(ports, BeginsAnew(ports.begin, ports.blobs, ports.extractor))


class SleepingReaper(ReleaseExpired):
    async def __call__(self, *, limit: int = 100) -> int:
        return 0


def no_reaper(ports: Ports) -> Docstore:
    docstore = assemble(ports)
    reaper = SleepingReaper(ports.begin, docstore.background.release_expired.retry, ports.jitter)
    return replace(docstore, background=replace(docstore.background, release_expired=reaper))


BUGS: Final = {
    "fence removed": Bug(database=UnfencedDatabase),
    "sweeper without grace": Bug(build=hasty_sweep),
    "row before bytes": Bug(build=row_before_bytes),
    "lease never renewed": Bug(build=lease_never_renewed),
    "retry forgets the file": Bug(build=retry_forgets_file),
    "retry forgets the job": Bug(build=retry_forgets_job),
    "staging deleted before the commit": Bug(build=tidy_before_commit),
    "an attempt begins anew": Bug(build=begins_anew),
    "dispatcher never tells again": Bug(build=never_told_again),
    "nobody looks for expired leases": Bug(build=no_reaper),
}
