"""One attempt at one job: claim, keep the lease, work, settle. Whatever the job is about."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from docstore.application.again import again_when_stale
from docstore.application.ports.unit_of_work import Begin, UnitOfWork
from docstore.application.settling import save_setback
from docstore.application.stopping import insist, stop
from docstore.application.tasks import Change, LeaseLost, Task
from docstore.domain.errors import (
    Conflict,
    Damaged,
    DocstoreError,
    NotFound,
    ProcessingFailed,
    Unavailable,
)
from docstore.domain.failure import Failure, FailureCode
from docstore.domain.ids import JobId, LeaseToken
from docstore.domain.job import Job, JobType
from docstore.domain.retry import RetryPolicy

log = logging.getLogger(__name__)

MISSED_HEARTBEATS: Final = 2  # renewals that may fail in a row before the work is given up
SETTLE_TRIES: Final = 3
SETTLE_PAUSE: Final = 1.0  # seconds between them

COMPLETED: Final = "completed"
LOST: Final = "lost"  # of an attempt whose outcome is not ours to save


class Attempt:
    """A job in hand, as it was saved last."""

    def __init__(self, job: Job, save: Callable[[Job, Change], Awaitable[Job | None]]) -> None:
        self.job = job
        self._save = save

    async def keep(self, change: Change) -> Job:
        saved = await self._save(self.job, change)
        if saved is None:
            raise LeaseLost(f"job {self.job.id} is not ours any more")
        self.job = saved
        return saved


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """How long a worker holds a job without a sign of life, and how often it gives one."""

    duration: timedelta = timedelta(seconds=30)
    heartbeat: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at one job. Told twice or run twice is harmless: one claim is saved, and only
    who still holds the lease can settle. Raises Unavailable when the claim could not be tried.
    """

    begin: Begin
    tasks: Mapping[JobType, Task]
    retry: RetryPolicy
    lease: Lease
    new_token: Callable[[], UUID]
    jitter: Callable[[], float]  # draws from [0, 1]
    worker: str  # who holds the lease, for people and for `serve` after a crash
    saw: Callable[[str, float, str], None] = lambda *_: None
    """Told of each attempt: the type of the job, how many seconds it took, and `completed`, the
    code of the failure, or `lost`. Returns at once."""

    async def __call__(self, job_id: JobId) -> None:
        token = LeaseToken(self.new_token())
        try:
            if job := await self._claim(job_id, token):
                await self._attempt(job)
        except asyncio.CancelledError:
            # The worker is stopping: give the job back, and with it the attempt. It is not ours
            # any more once it is settled, and not yet when the claim was not saved.
            await insist(self._release(job_id, token))
            raise

    async def _claim(self, job_id: JobId, token: LeaseToken) -> Job | None:
        try:
            return await again_when_stale(
                lambda: self._try_to_claim(job_id, token), f"job {job_id}"
            )
        except (Conflict, NotFound):
            return None  # another worker has it, it is done, not due, or deleted

    async def _try_to_claim(self, job_id: JobId, token: LeaseToken) -> Job:
        """StaleVersion also when the owner has just changed the job's file."""
        async with self.begin() as tx:
            now = await tx.now()
            job = await tx.jobs.get(job_id)
            job = job.start(now=now, lease=self.lease.duration, token=token, worker=self.worker)
            job = await self.tasks[job.job_type].begin(tx, job)
            await tx.commit()
        return job

    async def _attempt(self, job: Job) -> None:
        task = self.tasks[job.job_type]
        attempt = Attempt(job, self._go_on)
        work = asyncio.create_task(task.run(job, attempt.keep))
        keeper = asyncio.create_task(self._keep_lease(job))
        clock = asyncio.get_running_loop().time
        began, outcome = clock(), LOST
        try:
            await asyncio.wait({work, keeper}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() or work.cancelled() or isinstance(work.exception(), LeaseLost):
                log.warning("job %s: the lease is lost, attempt %d stops", job.id, job.attempts)
                return
            outcome = await self._settle(attempt.job, task, work)
        finally:
            await stop(work, keeper)
            self.saw(job.job_type, clock() - began, outcome)

    async def _keep_lease(self, job: Job) -> None:
        """Renew until that fails for good; returning means that the lease is not ours any more."""
        missed = 0
        pause = self.lease.heartbeat.total_seconds()
        while missed < MISSED_HEARTBEATS:
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(pause):
                    await self._beat(job)
                missed = 0
            except Conflict:
                return
            except (Unavailable, TimeoutError) as error:
                missed += 1
                log.warning("job %s: a heartbeat failed: %s", job.id, error)

    async def _beat(self, job: Job) -> None:
        assert job.lease_token is not None
        async with self.begin() as tx:
            now = await tx.now()
            until = now + self.lease.duration
            await tx.jobs.heartbeat(job.id, job.lease_token, now=now, lease_until=until)
            await tx.commit()

    async def _settle(self, job: Job, task: Task, work: asyncio.Task[Any]) -> str:
        error = work.exception()
        if error is not None:
            failure = failure_of(error, job)
            saved = await self._save(job, lambda tx, job: self._fail(tx, job, failure))
            return failure.code if saved else LOST
        result = work.result()
        if not await self._save(job, lambda tx, job: _succeed(tx, job, task, result)):
            return LOST
        await task.tidy(result)
        return COMPLETED

    async def _go_on(self, job: Job, change: Change) -> Job | None:
        async def go_on(tx: UnitOfWork, job: Job) -> Job:
            now = await tx.now()
            changed = change(job, now).go_on(now=now, lease=self.lease.duration)
            await tx.jobs.update(changed)
            return changed

        return await self._save(job, go_on)

    async def _fail(self, tx: UnitOfWork, job: Job, failure: Failure) -> Job:
        now = await tx.now()
        failed = job.fail(failure, now=now, retry=self.retry, jitter=self.jitter())
        await save_setback(tx, failed, now)
        return failed

    async def _save(
        self, job: Job, change: Callable[[UnitOfWork, Job], Awaitable[Job]]
    ) -> Job | None:
        """The job as `change` saved it here; None when the job is not ours any more.

        Safe to repeat. A commit whose answer was lost has made a new version of the job: while we
        still hold the lease nobody else can have made it, and after that the fence refuses us.
        """
        for left in reversed(range(SETTLE_TRIES)):
            try:
                async with self.begin() as tx:
                    current = await tx.jobs.get(job.id)
                    if current.lease_token != job.lease_token:
                        break
                    if current.version != job.version:
                        return current
                    saved = await change(tx, current)
                    await tx.commit()
            except NotFound:
                break  # deleted meanwhile; what it left behind is the purge's and the sweeper's
            except (Conflict, Unavailable) as error:
                log.warning("job %s: saving failed, %d tries left: %s", job.id, left, error)
                await asyncio.sleep(SETTLE_PAUSE)
            else:
                return saved
        return None

    async def _release(self, job_id: JobId, token: LeaseToken) -> None:
        with suppress(DocstoreError):
            async with self.begin() as tx:
                current = await tx.jobs.get(job_id)
                if current.lease_token == token:
                    now = await tx.now()
                    released = current.release(now=now, retry=self.retry, jitter=self.jitter())
                    await save_setback(tx, released, now)
                    await tx.commit()


async def _succeed(tx: UnitOfWork, job: Job, task: Task, result: Any) -> Job:
    await task.settle(tx, job, result)
    return job


def failure_of(error: BaseException, job: Job) -> Failure:
    """What an attempt's error means for the job and, in the end, for its file."""
    if isinstance(error, ProcessingFailed):
        return Failure(error.failure, str(error))
    if isinstance(error, Damaged):
        log.error("job %s: %s", job.id, error)
        return Failure(FailureCode.CORRUPT, str(error))
    if isinstance(error, DocstoreError):
        log.warning("job %s: attempt %d failed: %s", job.id, job.attempts, error)
        return Failure(FailureCode.UNAVAILABLE, error.title)
    log.error("job %s: attempt %d failed", job.id, job.attempts, exc_info=error)
    return Failure(FailureCode.CRASHED, "internal error while processing")
