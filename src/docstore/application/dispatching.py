"""The loops that keep jobs moving. Each may run in any number of processes at once."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from docstore.application.again import again_when_stale
from docstore.application.ports.job_queue import JobQueue
from docstore.application.ports.unit_of_work import Begin
from docstore.application.settling import save_setback
from docstore.domain.errors import Conflict, NotFound, Unavailable
from docstore.domain.ids import FileId, JobId
from docstore.domain.job import Job
from docstore.domain.retry import RetryPolicy

log = logging.getLogger(__name__)

SKEW: Final = timedelta(seconds=60)
"""A heartbeat that far in the future was written before the clock went back; it proves nothing."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Tell the queue of the jobs that are due; of those nobody starts, again after `patience`."""

    begin: Begin
    queue: JobQueue
    patience: timedelta

    async def __call__(self, *, limit: int = 32, age: timedelta = timedelta.max) -> int:
        """How many jobs were told. As many as `limit`: there may be more.

        `age` is the queue's: hints older than it count as lost, since they went with a process
        that the queue lived in. An age, not a time: the database has a clock of its own.
        """
        async with self.begin(read_only=True) as tx:
            now = await tx.now()
            told_before = now - min(self.patience, age)
            due = await tx.jobs.due(now, told_before=told_before, limit=limit)
        told = await self._mark(due, now) if due else []
        for number, job in enumerate(told):
            try:
                await self.queue.send(job.id)
            except Unavailable:
                await self._mark(told[number:], None)  # not to wait for `patience` once it is back
                raise
        return len(told)

    async def _mark(self, jobs: Sequence[Job], at: datetime | None) -> Sequence[Job]:
        told = []
        try:
            async with self.begin() as tx:
                locked = await tx.jobs.lock([job.id for job in jobs])
                versions = {job.id: job.version for job in locked}
                for job in jobs:
                    if versions.get(job.id) == job.version:  # else somebody was faster
                        told.append(job.told(at))
                        await tx.jobs.update(told[-1])
                await tx.commit()
        except Conflict:
            return []  # found out at the commit; the next look finds what is left
        return told


@dataclass(frozen=True, slots=True)
class ReleaseExpired:
    """Put back the jobs whose worker gave no sign of life, or give them up for good."""

    begin: Begin
    retry: RetryPolicy
    jitter: Callable[[], float]

    async def __call__(self, *, limit: int = 100) -> int:
        """How many jobs were taken from their workers."""
        async with self.begin(read_only=True) as tx:
            lapsed = await tx.upkeep.lapsed(await tx.now(), skew=SKEW, limit=limit)
        return sum([await self._expire(job) for job in lapsed])

    async def _expire(self, job: Job) -> bool:
        try:
            async with self.begin() as tx:
                free = await tx.jobs.lock([job.id])  # nobody renews it now, or finishes it
                now = await tx.now()
                if not free or not free[0].has_lapsed(now, skew=SKEW):
                    return False
                expired = free[0].expire(now=now, retry=self.retry, jitter=self.jitter())
                await save_setback(tx, expired, now)
                await tx.commit()
        except (Conflict, NotFound):
            return False
        log.warning("job %s: lease of %s expired, now %s", job.id, job.worker, expired.status)
        return True


@dataclass(frozen=True, slots=True)
class ReleaseHeldBy:
    """Put back the jobs of a worker that is known to be dead. No attempt is lost."""

    begin: Begin
    retry: RetryPolicy
    jitter: Callable[[], float]

    async def __call__(self, worker: str) -> int:
        """How many jobs were put back. `worker` is the beginning of the worker's name."""
        async with self.begin(read_only=True) as tx:
            held = await tx.upkeep.held_by(worker)
        return sum([await again_when_stale(partial(self._release, j), f"job {j.id}") for j in held])

    async def _release(self, job: Job) -> bool:
        async with self.begin() as tx:
            free = await tx.jobs.lock([job.id])
            if not free or free[0].lease_token != job.lease_token:
                return False  # its lease is over, and that was found out just now
            now = await tx.now()
            released = free[0].release(now=now, retry=self.retry, jitter=self.jitter())
            await save_setback(tx, released, now)
            await tx.commit()
        return True


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Give a new job to every file that is not final and has none. Cannot happen; is looked for."""

    begin: Begin
    new_id: Callable[[], UUID]

    async def __call__(self, *, limit: int = 100) -> int:
        """How many files were given one."""
        async with self.begin(read_only=True) as tx:
            stranded = await tx.upkeep.stranded(limit=limit)
        return sum([await self._mend(file.id) for file in stranded])

    async def _mend(self, file_id: FileId) -> bool:
        try:
            async with self.begin() as tx:
                now = await tx.now()
                file = await tx.files.get(file_id)
                jobs = await tx.jobs.of_file(file_id)
                if file.status.is_final or any(job.status.is_live for job in jobs):
                    return False
                file = file.regenerated(now=now)
                await tx.files.update(file)
                await tx.jobs.add(Job.process(file, id=JobId(self.new_id()), now=now))
                await tx.commit()
        except (Conflict, NotFound):
            return False
        log.error("file %s had no job; it was given one", file_id)
        return True
