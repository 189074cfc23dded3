from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from docstore.domain import step
from docstore.domain.errors import Conflict
from docstore.domain.failure import Failure, FailureCode
from docstore.domain.file import File
from docstore.domain.ids import FileId, JobId, LeaseToken, UserId
from docstore.domain.lifecycle import JOB, Action, JobStatus, after
from docstore.domain.retry import RetryPolicy
from docstore.domain.step import Planned, Step, StepResult

MAX_RELEASES: Final = 20
"""How often a stopping worker may give an attempt back."""

WORKER_LOST: Final = Failure(FailureCode.UNAVAILABLE, "the worker was lost before it was done")

FIXED: Final = frozenset(
    {"id", "file_id", "user_id", "job_type", "generation", "payload", "queued_at"}
)
"""Fields of a Job that no change of it touches: a store writes them once."""


class JobType(StrEnum):
    PROCESS = "process"  # read one file
    PURGE = "purge"  # delete the blobs of a file whose row is gone


class NotDue(Conflict):
    """Told too early; the dispatcher will tell again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work that is done in the background, until done or given up.

    Saved in the transaction that asks for it, so the table of jobs is the outbox.
    """

    id: JobId
    job_type: JobType = JobType.PROCESS
    file_id: FileId | None = None  # None for a purge: the file's row is gone
    user_id: UserId | None = None  # whose turn it is; no foreign key, a purge outlives its owner
    generation: int = 1
    payload: Sequence[str] = ()  # of a purge: the key prefixes to delete
    steps: Sequence[Step] = ()  # of a process job, in order; planned when an attempt begins
    queued_at: datetime  # aware, UTC
    due_at: datetime  # not before
    dispatched_at: datetime | None = None  # a queue was told; told again after a while
    status: JobStatus = JobStatus.QUEUED
    attempts: int = 0  # attempts started, counted at the claim
    crash_attempts: int = 0  # of those, how many ended a parser's process
    releases: int = 0
    lease_token: LeaseToken | None = None  # set exactly while PROCESSING, as the next three
    lease_until: datetime | None = None
    heartbeat_at: datetime | None = None
    worker: str | None = None
    started_at: datetime | None = None  # of the latest attempt
    completed_at: datetime | None = None
    failure: Failure | None = None  # of the latest attempt
    version: int = 1

    @classmethod
    def process(cls, file: File, *, id: JobId, now: datetime, steps: Sequence[Step] = ()) -> Self:
        """The job that processes `file` in its present generation, and need not do what of
        `steps` is done."""
        return cls(
            id=id,
            file_id=file.id,
            user_id=file.user_id,
            generation=file.generation,
            queued_at=now,
            due_at=now,
            steps=tuple(steps),
        )

    def told(self, now: datetime | None) -> Self:
        """A queue has been told; None: it did not take the hint."""
        return replace(self, dispatched_at=now, version=self.version + 1)

    def start(self, *, now: datetime, lease: timedelta, token: LeaseToken, worker: str) -> Self:
        """One worker takes it. The attempt counts from here, so a crash cannot hide it."""
        started = self._move(Action.START)
        if self.due_at > now:
            raise NotDue(f"job {self.id} is not due yet")
        return replace(
            started,
            attempts=self.attempts + 1,
            lease_token=token,
            lease_until=now + lease,
            heartbeat_at=now,
            worker=worker,
            started_at=now,
        )

    def go_on(self, *, now: datetime, lease: timedelta) -> Self:
        """Between two steps. A sign of life too, so the lease is renewed."""
        until = now + lease
        return replace(self, heartbeat_at=now, lease_until=until, version=self.version + 1)

    # What follows changes the steps alone, and is saved with a change from above or below.

    def planned(self, plan: Sequence[Planned], *, now: datetime) -> Self:
        """With `start`: the steps that lie before this attempt. Those that are done stay so,
        unless `plan` makes them out of date.
        """
        return self._begun(step.continued(self.steps, plan), now)

    def step_done(self, result: StepResult, log: str, *, now: datetime) -> Self:
        """With `go_on`: the step that runs has its result, and the next begins."""
        return self._begun(step.ended(self.steps, result, log, now=now), now)

    def steps_lost(self, lost: Collection[str], *, now: datetime) -> Self:
        """With `go_on`: what those steps had left is gone, so they are run again, and first."""
        return self._begun(step.without(self.steps, lost), now)

    def concluded(self, results: Mapping[str, StepResult], log: str, *, now: datetime) -> Self:
        """With `succeed`: the last step is done; the results of all, as they are kept for good."""
        return replace(self, steps=step.concluded(self.steps, results, log, now=now))

    def _begun(self, steps: Sequence[Step], now: datetime) -> Self:
        return replace(self, steps=step.begun(steps, self.attempts, now=now))

    def succeed(self, *, now: datetime) -> Self:
        return replace(self._move(Action.SUCCEED), completed_at=now, failure=None)

    def fail(self, failure: Failure, *, now: datetime, retry: RetryPolicy, jitter: float) -> Self:
        """Back in the queue when the failure and `retry` grant another attempt, else FAILED."""
        crashes = self.crash_attempts + failure.is_crash
        delay = None
        if not failure.is_final:
            delay = retry.delay_after(self.attempts, crashes, jitter=jitter)
        return replace(
            self._requeued_or_failed(Action.REQUEUE, delay, failure, now), crash_attempts=crashes
        )

    def has_lapsed(self, now: datetime, *, skew: timedelta) -> bool:
        """Whether the lease is over. A heartbeat later than `now + skew` counts as none: it was
        written before the clock went back."""
        if self.lease_until is None or self.heartbeat_at is None:
            return False
        return self.lease_until < now or self.heartbeat_at > now + skew

    def expire(self, *, now: datetime, retry: RetryPolicy, jitter: float) -> Self:
        """The lease is over: the worker is dead or cut off. Costs the attempt, no crash."""
        delay = retry.delay_after(self.attempts, self.crash_attempts, jitter=jitter)
        return self._requeued_or_failed(Action.EXPIRE, delay, WORKER_LOST, now)

    def release(self, *, now: datetime, retry: RetryPolicy, jitter: float) -> Self:
        """The worker is stopping, or known to be dead: the job goes back, and with it the attempt.

        After MAX_RELEASES it is an expiry like any other, lest a file that takes the whole worker
        down with it runs for ever.
        """
        if self.releases >= MAX_RELEASES:
            return self.expire(now=now, retry=retry, jitter=jitter)
        return replace(
            self._move(Action.RELEASE),
            attempts=self.attempts - 1,
            releases=self.releases + 1,
            due_at=now,
            dispatched_at=None,
            steps=step.interrupted(self.steps),
        )

    def _requeued_or_failed(
        self, requeue: Action, delay: timedelta | None, failure: Failure, now: datetime
    ) -> Self:
        steps = step.failed(self.steps, failure, now=now)
        if delay is None:
            ended = replace(self._move(Action.FAIL), completed_at=now)
            return replace(ended, failure=failure, steps=step.given_up(steps))
        waiting = replace(self._move(requeue), due_at=now + delay, dispatched_at=None)
        return replace(waiting, failure=failure, steps=steps)

    def _move(self, action: Action) -> Self:
        return replace(
            self,
            status=after(JOB, self.status, action),
            lease_token=None,
            lease_until=None,
            heartbeat_at=None,
            worker=None,
            version=self.version + 1,
        )
