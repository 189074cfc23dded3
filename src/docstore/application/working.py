"""One attempt at one job: claim, keep the lease, work, settle. Whatever the job is about."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from docstore.application.ports.unit_of_work import Begin, UnitOfWork
from docstore.application.settling import save_setback
from docstore.application.stopping import stop
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


class Task(Protocol):
    """What there is to do for one type of job."""

    async def begin(self, tx: UnitOfWork, job: Job) -> None:
        """Note in the claiming transaction that an attempt begins."""
        ...

    async def run(self, job: Job) -> Any:
        """The work itself; what it returns goes to `settle`. Cancelled when the lease is lost."""
        ...

    async def settle(self, tx: UnitOfWork, job: Job, result: Any) -> None:
        """Apply the result in the transaction that completes the job."""
        ...

    async def tidy(self, result: Any) -> None:
        """After the commit: delete what is not needed any more."""
        ...


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
            await asyncio.shield(asyncio.create_task(self._release(job_id, token)))
            raise

    async def _claim(self, job_id: JobId, token: LeaseToken) -> Job | None:
        try:
            async with self.begin() as tx:
                now = await tx.now()
                job = await tx.jobs.get(job_id)
                job = job.start(now=now, lease=self.lease.duration, token=token, worker=self.worker)
                await tx.jobs.update(job)
                await self.tasks[job.job_type].begin(tx, job)
                await tx.commit()
        except (Conflict, NotFound):
            return None  # another worker has it, it is done, not due, or deleted
        return job

    async def _attempt(self, job: Job) -> None:
        task = self.tasks[job.job_type]
        work = asyncio.create_task(task.run(job))
        keeper = asyncio.create_task(self._keep_lease(job))
        clock = asyncio.get_running_loop().time
        began, outcome = clock(), LOST
        try:
            await asyncio.wait({work, keeper}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() or work.cancelled():
                log.warning("job %s: the lease is lost, attempt %d stops", job.id, job.attempts)
                return
            outcome = await self._settle(job, task, work)
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
            saved = await self._save(job, lambda tx: self._fail(tx, job, failure))
            return failure.code if saved else LOST
        result = work.result()
        if not await self._save(job, lambda tx: self._succeed(tx, job, task, result)):
            return LOST
        await task.tidy(result)
        return COMPLETED

    async def _succeed(self, tx: UnitOfWork, job: Job, task: Task, result: Any) -> None:
        await tx.jobs.update(job.succeed(now=await tx.now()))
        await task.settle(tx, job, result)

    async def _fail(self, tx: UnitOfWork, job: Job, failure: Failure) -> None:
        now = await tx.now()
        failed = job.fail(failure, now=now, retry=self.retry, jitter=self.jitter())
        await save_setback(tx, failed, now)

    async def _save(self, job: Job, change: Callable[[UnitOfWork], Awaitable[None]]) -> bool:
        """Whether `change` was committed here. Safe to repeat: a commit whose answer was lost has
        made a new version of the job, so the next try is refused by the fence.
        """
        for left in reversed(range(SETTLE_TRIES)):
            try:
                async with self.begin() as tx:
                    if (await tx.jobs.get(job.id)).version != job.version:
                        break
                    await change(tx)
                    await tx.commit()
            except NotFound:
                break  # deleted meanwhile; what it left behind is the purge's and the sweeper's
            except (Conflict, Unavailable) as error:
                log.warning("job %s: settling failed, %d tries left: %s", job.id, left, error)
                await asyncio.sleep(SETTLE_PAUSE)
            else:
                return True
        return False

    async def _release(self, job_id: JobId, token: LeaseToken) -> None:
        with suppress(DocstoreError):
            async with self.begin() as tx:
                current = await tx.jobs.get(job_id)
                if current.lease_token == token:
                    now = await tx.now()
                    released = current.release(now=now, retry=self.retry, jitter=self.jitter())
                    await save_setback(tx, released, now)
                    await tx.commit()


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
