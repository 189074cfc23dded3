from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from docstore.domain.errors import IllegalTransition
from docstore.domain.failure import Failure, FailureCode
from docstore.domain.ids import JobId, LeaseToken
from docstore.domain.job import MAX_RELEASES, WORKER_LOST, Job, NotDue
from docstore.domain.lifecycle import JobStatus
from docstore.domain.retry import RetryPolicy
from docstore.domain.step import Planned, StepResult, StepState, running
from docstore.testing.builders import MOMENT, a_file, a_job

LEASE = timedelta(seconds=30)
TOKEN = LeaseToken(UUID(int=3))
RETRY = RetryPolicy(max_attempts=5, max_crashes=3)
CRASH = Failure(FailureCode.CRASHED, "died")
CUT_OFF = Failure(FailureCode.UNAVAILABLE, "no answer")
CORRUPT = Failure(FailureCode.CORRUPT, "not a PDF")


def started(job: Job, now: datetime = MOMENT) -> Job:
    return job.start(now=now, lease=LEASE, token=TOKEN, worker="w1")


class JobLife(RuleBasedStateMachine):
    """Whatever is asked of a job, in any order, it stays whole."""

    def __init__(self) -> None:
        super().__init__()
        self.job = a_job()
        self.now = MOMENT
        self.starts = self.crashes = self.releases = 0
        self.plan: list[Planned] = []
        self.lost = False  # what a step had left, just now

    @rule(seconds=st.integers(0, 600))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def tell(self) -> None:
        told = self.job.told(self.now)
        assert (told.status, told.dispatched_at) == (self.job.status, self.now)
        self._becomes(told)

    @rule(token=st.uuids().map(LeaseToken))
    def start(self, token: LeaseToken) -> None:
        def ask() -> Job:
            return self.job.start(now=self.now, lease=LEASE, token=token, worker="w1")

        if self.job.status is JobStatus.QUEUED and self.job.due_at > self.now:
            with pytest.raises(NotDue):
                ask()
        elif self._legal(ask, JobStatus.QUEUED):
            self.starts += 1
            # As a worker does in the same transaction, with what it has installed just now.
            self.job = self.job.planned(self.plan, now=self.now)
            assert (self.job.lease_token, self.job.started_at) == (token, self.now)
            assert self.job.lease_until == self.now + LEASE

    @rule(processor=st.sampled_from(("text", "image", "ocr")), version=st.sampled_from("12"))
    def install(self, processor: str, version: str) -> None:
        others = [each for each in self.plan if each.processor != processor]
        self.plan = [*others, Planned(processor=processor, version=version)]

    @rule()
    def go_on(self) -> None:
        if self.job.status is JobStatus.PROCESSING and running(self.job.steps):
            kept = self.job.step_done(StepResult(), "nothing", now=self.now)
            self._becomes(kept.go_on(now=self.now, lease=LEASE))
            assert self.job.lease_until == self.now + LEASE

    @rule(processor=st.sampled_from(("text", "image", "ocr")))
    def lose(self, processor: str) -> None:
        if self.job.status is JobStatus.PROCESSING:
            lost = self.job.steps_lost({processor}, now=self.now)
            self.lost = True
            self._becomes(lost.go_on(now=self.now, lease=LEASE))

    @rule()
    def succeed(self) -> None:
        def ask() -> Job:
            results = {step.processor: StepResult() for step in self.job.steps}
            return self.job.concluded(results, "all", now=self.now).succeed(now=self.now)

        if any(step.state is StepState.WAITING for step in self.job.steps):
            return  # nobody would ask
        if self._legal(ask, JobStatus.PROCESSING):
            assert all(step.is_done for step in self.job.steps)
            assert self.job.status is JobStatus.COMPLETED
            assert self.job.failure is None

    @rule(code=st.sampled_from(FailureCode), jitter=st.floats(0, 1))
    def fail(self, code: FailureCode, jitter: float) -> None:
        failure = Failure(code, "why")
        before = self.job

        def ask() -> Job:
            return before.fail(failure, now=self.now, retry=RETRY, jitter=jitter)

        if self._ends_an_attempt(ask):
            self.crashes += code is FailureCode.CRASHED
            spent = before.attempts >= 5 or self.crashes >= 3
            again = code in (FailureCode.CRASHED, FailureCode.UNAVAILABLE) and not spent
            assert self.job.status is (JobStatus.QUEUED if again else JobStatus.FAILED)
            assert self.job.failure == failure

    @rule(jitter=st.floats(0, 1))
    def expire(self, jitter: float) -> None:
        before = self.job

        def ask() -> Job:
            return before.expire(now=self.now, retry=RETRY, jitter=jitter)

        if self._ends_an_attempt(ask):
            spent = before.attempts >= 5
            assert self.job.status is (JobStatus.FAILED if spent else JobStatus.QUEUED)
            assert self.job.failure == WORKER_LOST

    @rule(jitter=st.floats(0, 1))
    def release(self, jitter: float) -> None:
        before = self.job

        def ask() -> Job:
            return before.release(now=self.now, retry=RETRY, jitter=jitter)

        if self._ends_an_attempt(ask) and before.releases < MAX_RELEASES:
            self.releases += 1
            assert (self.job.status, self.job.due_at) == (JobStatus.QUEUED, self.now)

    def _ends_an_attempt(self, ask: Callable[[], Job]) -> bool:
        legal = self._legal(ask, JobStatus.PROCESSING)
        if legal and self.job.status is JobStatus.QUEUED:
            assert self.job.dispatched_at is None, "a queue must be told again"
            assert self.job.due_at >= self.now
        return legal

    def _legal(self, ask: Callable[[], Job], status: JobStatus) -> bool:
        if self.job.status is not status:
            with pytest.raises(IllegalTransition):
                ask()
            return False
        self._becomes(ask())
        return True

    def _becomes(self, job: Job) -> None:
        assert job.version == self.job.version + 1
        before = {step.processor: step for step in self.job.steps if step.is_done}
        for step in job.steps if not self.lost else ():
            old = before.get(step.processor)
            assert old is None or step.is_done or step.version != old.version
        self.lost = False
        self.job = job

    @invariant()
    def one_step_runs_while_it_is_processing_and_some_are_left(self) -> None:
        states = [step.state for step in self.job.steps]
        is_processing = self.job.status is JobStatus.PROCESSING
        assert states.count(StepState.RUNNING) <= is_processing
        if is_processing and StepState.WAITING in states:
            assert StepState.RUNNING in states

    @invariant()
    def each_step_says_what_it_must(self) -> None:
        for step in self.job.steps:
            assert (step.result is not None) is step.is_done
            assert (step.error is not None) is (step.state is StepState.FAILED)
            ended = step.state in (StepState.DONE, StepState.FAILED)
            assert (step.ended_at is not None) is ended
            assert (step.attempt > 0) is (ended or step.state is StepState.RUNNING)
            skipped = step.state is StepState.SKIPPED
            assert not skipped or self.job.status is JobStatus.FAILED

    @invariant()
    def a_lease_means_processing(self) -> None:
        lease = (
            self.job.lease_token,
            self.job.lease_until,
            self.job.heartbeat_at,
            self.job.worker,
        )
        processing = self.job.status is JobStatus.PROCESSING
        assert all((field is not None) is processing for field in lease)

    @invariant()
    def every_started_attempt_is_counted_unless_given_back(self) -> None:
        assert self.job.attempts == self.starts - min(self.releases, MAX_RELEASES)
        assert self.job.releases == self.releases

    @invariant()
    def crashes_are_attempts(self) -> None:
        assert self.job.crash_attempts == self.crashes <= self.job.attempts

    @invariant()
    def it_is_completed_when_it_is_final(self) -> None:
        assert (self.job.completed_at is None) is self.job.status.is_live

    @invariant()
    def a_failed_job_says_why(self) -> None:
        assert self.job.status is not JobStatus.FAILED or self.job.failure is not None


TestJobLife = JobLife.TestCase


@pytest.mark.parametrize(
    ("failure", "attempts"),
    [(CUT_OFF, 5), (CRASH, 3), (CORRUPT, 1)],
    ids=["unavailable", "crashed", "corrupt"],
)
def test_how_often_it_is_tried(failure: Failure, attempts: int) -> None:
    job = a_job()
    while job.status.is_live:
        job = started(job).fail(failure, now=MOMENT, retry=RETRY, jitter=0)
    assert (job.status, job.attempts) == (JobStatus.FAILED, attempts)


def test_a_lost_worker_costs_attempts_and_no_crash() -> None:
    job = a_job()
    while job.status.is_live:
        job = started(job).expire(now=MOMENT, retry=RETRY, jitter=0)
    assert (job.attempts, job.crash_attempts) == (5, 0)


def test_a_release_gives_the_attempt_back_so_often_and_no_more() -> None:
    job = a_job()
    for _ in range(MAX_RELEASES):
        job = started(job).release(now=MOMENT, retry=RETRY, jitter=0)
    assert job.attempts == 0
    job = started(job).release(now=MOMENT, retry=RETRY, jitter=0)
    assert job.attempts == 1


def test_a_job_that_is_always_released_ends() -> None:
    job = a_job()
    while job.status.is_live:
        job = started(job).release(now=MOMENT, retry=RETRY, jitter=0)
    assert job.status is JobStatus.FAILED
    assert job.failure == WORKER_LOST


@pytest.mark.parametrize("end", ["fail", "expire"])
def test_after_a_failure_it_waits(end: str) -> None:
    job = started(a_job().told(MOMENT))
    ends = {
        "fail": lambda: job.fail(CUT_OFF, now=MOMENT, retry=RETRY, jitter=1.0),
        "expire": lambda: job.expire(now=MOMENT, retry=RETRY, jitter=1.0),
    }
    waiting = ends[end]()
    assert waiting.due_at == MOMENT + RETRY.first_delay
    assert waiting.dispatched_at is None
    with pytest.raises(NotDue):
        started(waiting, waiting.due_at - timedelta(microseconds=1))
    assert started(waiting, waiting.due_at).attempts == 2


def test_what_is_final_is_not_merely_not_due() -> None:
    done = started(a_job()).succeed(now=MOMENT)
    with pytest.raises(IllegalTransition):
        started(done, MOMENT - timedelta(days=1))


def test_a_files_job_is_of_its_generation() -> None:
    file = a_file(generation=3)
    job = Job.process(file, id=JobId(UUID(int=1)), now=MOMENT)
    assert (job.file_id, job.user_id, job.generation) == (file.id, file.user_id, 3)
    assert started(job).attempts == 1, "due at once"


@pytest.mark.parametrize(
    ("passed", "lapsed"),
    [
        (timedelta(0), False),
        (LEASE, False),
        (LEASE + timedelta(microseconds=1), True),
        (timedelta(seconds=-60), False),
        (timedelta(seconds=-61), True),
    ],
)
def test_a_lease_lapses_with_time_or_when_the_clock_goes_back(
    passed: timedelta, lapsed: bool
) -> None:
    skew = timedelta(seconds=60)
    assert started(a_job()).has_lapsed(MOMENT + passed, skew=skew) is lapsed


def test_what_nobody_holds_does_not_lapse() -> None:
    assert not a_job().has_lapsed(MOMENT + timedelta(days=1), skew=timedelta(0))
