"""What docstore promises, checked on each commit and each change in the store.

Written out anew, not taken from the domain's tables: a witness that copies proves nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final, TypeVar
from uuid import UUID

from docstore.adapters.persistence.memory import Rows
from docstore.domain.file import File
from docstore.domain.ids import FileId, JobId
from docstore.domain.job import Job, JobType
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.retry import RetryPolicy
from docstore.domain.step import StepResult, StepState
from simulation.history import History
from simulation.observed import ObservedBlobStore
from simulation.process import current_name

E = TypeVar("E")
Breach = Callable[[str, str], None]  # the promise that is broken, and how

LEGAL_FILE: Final = {  # from, to, how many generations later
    ("uploaded", "processing", 0),
    ("processing", "processed", 0),
    ("processing", "failed", 0),
    ("failed", "processing", 1),
    ("processed", "processing", 1),
}
LEGAL_JOB: Final = {
    ("queued", "queued"),
    ("queued", "processing"),
    ("processing", "processing"),
    ("processing", "completed"),
    ("processing", "queued"),
    ("processing", "failed"),
}
FIXED: Final = ("user_id", "original_filename", "size", "sha256", "key", "uploaded_at")
LIVE: Final = {FileStatus.UPLOADED: JobStatus.QUEUED, FileStatus.PROCESSING: None}
LAST: Final = {
    FileStatus.PROCESSED: JobStatus.COMPLETED,
    FileStatus.FAILED: JobStatus.FAILED,
}
OVERDUE: Final = timedelta(seconds=60)


class Health(StrEnum):
    """How a process is that has lost its lease, which is no wonder unless it is well."""

    DEAD = "dead"
    TROUBLED = "troubled"  # it was frozen, or the database was disturbed
    WELL = "healthy"


def changes(
    before: Mapping[UUID, E], after: Mapping[UUID, E]
) -> Iterator[tuple[E | None, E | None]]:
    """Each row that is not what it was, as (old, new)."""
    for ident, new in after.items():
        if (old := before.get(ident)) is not new:
            yield old, new
    for ident, old in before.items():
        if ident not in after:
            yield old, None


class Promises:
    """The witness of one schedule."""

    def __init__(
        self,
        *,
        history: History,
        blobs: ObservedBlobStore,
        retry: RetryPolicy,
        now: Callable[[], datetime],
        breach: Breach,
        health: Callable[[str], Health],
        grace: timedelta,
    ) -> None:
        self._history = history
        self._blobs = blobs
        self._retry = retry
        self._now = now
        self._breach = breach
        self._health = health
        self._grace = grace
        self._rows = Rows()
        self._known: set[UUID] = set()  # every file there ever was
        self._claims: Counter[JobId] = Counter()
        self._excused: set[JobId] = set()  # their lease was over at some time, then renewed
        self._successes: Counter[tuple[FileId, int]] = Counter()
        self._overdue: dict[JobId, float] = {}
        self.seen: Counter[str] = Counter()  # what this schedule has met

    # Rows

    def committed(self, before: Rows, after: Rows) -> None:
        self._rows = after
        touched: dict[FileId, None] = {}
        for old_file, new_file in changes(before.files, after.files):
            self._file(old_file, new_file)
            if new_file:
                touched[new_file.id] = None
        for old_job, new_job in changes(before.jobs, after.jobs):
            self._job(old_job, new_job)
            if new_job and new_job.file_id:
                touched[new_job.file_id] = None
        for file_id in touched:
            self._agree(file_id)

    def _file(self, old: File | None, new: File | None) -> None:
        if new is None:
            assert old is not None
            if not self._history.may_be_gone(old.id, old.user_id):
                self._breach("I1", f"file {old.id} vanished though nobody deleted it")
            return
        if old is None:
            self._is_new(new)
        else:
            self._moved(old, new)
        self._has_bytes(new)

    def _is_new(self, file: File) -> None:
        if file.id in self._known:
            self._breach("I15", f"file {file.id} rose from the dead")
        self._known.add(file.id)
        if file.status is not FileStatus.UPLOADED:
            self._breach("I10", f"file {file.id} began as {file.status}")

    def _moved(self, old: File, new: File) -> None:
        step = (old.status.value, new.status.value, new.generation - old.generation)
        if step not in LEGAL_FILE:
            self._breach("I10", f"file {new.id} went {step}")
        if any(getattr(old, name) != getattr(new, name) for name in FIXED):
            self._breach("I10", f"file {new.id} changed what never changes: {old} -> {new}")
        self.seen[f"file {step[0]} -> {step[1]}"] += 1
        if new.status is FileStatus.PROCESSED:
            self._successes[new.id, new.generation] += 1
            if self._successes[new.id, new.generation] > 1:
                self._breach("I6", f"file {new.id} was processed twice in one generation")

    def _has_bytes(self, file: File) -> None:
        for key in file.blob_keys():
            if self._blobs.data(key) is None:
                self._breach(
                    "I3", f"file {file.id} ({file.status}) names {key}, which is not there"
                )
        self._is_whole(file)

    def _is_whole(self, file: File) -> None:
        data = self._blobs.data(file.storage_path)
        if data is not None and sha256(data).hexdigest() != file.sha256:
            self._breach("I1", f"file {file.id}: other bytes under {file.storage_path}")

    # Jobs

    def _job(self, old: Job | None, new: Job | None) -> None:
        if old is None or new is None:
            self._job_came_or_went(old, new)
            return
        if (old.status.value, new.status.value) not in LEGAL_JOB:
            self._breach("I10", f"job {new.id} went {old.status} -> {new.status}")
        self._steps(old, new)
        if old.status is not JobStatus.PROCESSING:
            self._queued_job_changed(old, new)
        elif new.status is JobStatus.PROCESSING:
            self._renewed(old, new)
        else:
            self._ended(old, new)

    def _job_came_or_went(self, old: Job | None, new: Job | None) -> None:
        if new and (new.status is not JobStatus.QUEUED or new.attempts or new.crash_attempts):
            self._breach("I10", f"job {new.id} began as {new}")
        if old and (old.file_id in self._rows.files or not _may_be_forgotten(old)):
            self._breach("I8", f"job {old.id} vanished: {old}")

    def _queued_job_changed(self, old: Job, new: Job) -> None:
        if new.status is not JobStatus.PROCESSING:
            return  # a queue was told
        self._claims[new.id] += 1
        self.seen["attempt behind steps that were done"] += any(s.is_done for s in new.steps)
        if new.lease_token is None or new.worker != current_name():
            self._breach("I6", f"job {new.id} was claimed for {new.worker} by {current_name()}")
        self._counted(new)

    def _counted(self, job: Job) -> None:
        started = self._claims[job.id] - min(job.releases, 20)
        if job.attempts != started:
            self._breach("I6", f"job {job.id} counts {job.attempts} attempts, had {started}")
        if job.attempts > self._retry.max_attempts or job.crash_attempts > self._retry.max_crashes:
            self._breach("I7", f"job {job.id} goes on after too many attempts: {job}")

    def _renewed(self, old: Job, new: Job) -> None:
        if new.lease_token != old.lease_token or new.worker != current_name():
            self._breach("I6", f"job {new.id} is held by {old.worker} and by {new.worker}")
        if old.has_lapsed(self._now(), skew=OVERDUE):
            self._excused.add(new.id)

    def _ended(self, old: Job, new: Job) -> None:
        self._counted(new)
        by_holder = old.worker == current_name()
        if new.status is JobStatus.COMPLETED and not by_holder:
            self._breach("I6", f"job {new.id} of {old.worker} was completed by {current_name()}")
        if by_holder:
            gave_back = new.releases > old.releases
            self.seen["job given back" if gave_back else f"job processing -> {new.status}"] += 1
        else:
            self._taken(old)
            self.seen["job taken away for good"] += new.status is JobStatus.FAILED
        self._excused.discard(new.id)
        self._overdue.pop(new.id, None)

    def _taken(self, job: Job) -> None:
        if str(job.worker).partition("#")[0] == current_name().partition("#")[0]:
            self.seen["job taken over by the successor of a dead worker"] += 1
            return
        health = self._health(str(job.worker))
        self.seen[f"job taken from a {health} worker"] += 1
        if not job.has_lapsed(self._now(), skew=OVERDUE) and job.id not in self._excused:
            self._breach("I6", f"job {job.id} was taken from {job.worker}, who held the lease")
        if health is Health.WELL:
            self._breach("I5", f"job {job.id} was taken from {job.worker}, who is well")

    # Steps

    async def runs(self, file_id: FileId, processor: str) -> None:
        """A processor is about to read a file."""
        for job in self._rows.jobs.values():
            is_held = job.status is JobStatus.PROCESSING and job.worker == current_name()
            for step in job.steps if is_held and job.file_id == file_id else ():
                if step.processor == processor and step.state is not StepState.RUNNING:
                    self._breach("I6", f"{processor} runs on {file_id}, but its step is {step}")

    def _steps(self, old: Job, new: Job) -> None:
        running = [step for step in new.steps if step.state is StepState.RUNNING]
        if len(running) > (new.status is JobStatus.PROCESSING):
            self._breach("I10", f"job {new.id} is {new.status}, its steps are {new.steps}")
        now = {step.processor: step for step in new.steps}
        is_upgraded = {s.processor: s.version for s in old.steps} != {
            s.processor: s.version for s in new.steps
        }
        for step in old.steps:
            kept = now[step.processor].is_done or is_upgraded
            if step.result and not kept and self._is_there(step.result, new):
                self._breach("I6", f"job {new.id} forgot that {step} was done")
        for step in new.steps if new.status.is_live else ():
            if step.result and not self._is_there(step.result, new, own=True):
                self._breach("I3", f"job {new.id} needs {step.result}, which is not there")

    def _is_there(self, result: StepResult, job: Job, *, own: bool = False) -> bool:
        """Its blobs are; of an `own` result, those of the job's own generation."""
        folder = f"files/{job.file_id}/{job.generation}/" if own else ""
        keys = [key for key in result.blob_keys() if key.startswith(folder)]
        return all(self._blobs.data(key) is not None for key in keys)

    # Files and jobs together

    def _agree(self, file_id: FileId) -> None:
        jobs = [job for job in self._rows.jobs.values() if job.file_id == file_id]
        file = self._rows.files.get(file_id)
        if file is None:
            self._breach("I8", f"a job is left of file {file_id}, which is gone")
            return
        live = [job for job in jobs if job.status.is_live]
        if file.status in LIVE:
            self._has_its_job(file, live)
        elif live:
            self._breach("I10", f"file {file.id} is {file.status} but has a job: {live}")
        elif not any(
            j.generation == file.generation and j.status is LAST[file.status] for j in jobs
        ):
            self._breach("I10", f"file {file.id} is {file.status}, its jobs: {jobs}")
        if file.status is FileStatus.PROCESSED:
            self._names_all(file, max(jobs, key=lambda job: job.generation))

    def _names_all(self, file: File, job: Job) -> None:
        """What its steps may be asked for again."""
        for step in job.steps:
            if step.result is None or not step.result.blob_keys() <= file.blob_keys():
                self._breach("I3", f"file {file.id} is processed, but does not name all of {step}")

    def _has_its_job(self, file: File, live: list[Job]) -> None:
        status = LIVE[file.status]
        if len(live) != 1 or live[0].generation != file.generation:
            self._breach("I8", f"file {file.id} is {file.status}, its jobs: {live}")
        elif status and live[0].status is not status:
            self._breach("I10", f"file {file.id} is {file.status}, its job {live[0].status}")

    # Bytes

    def stored(self, key: str) -> None:
        for file in self._rows.files.values():
            if file.storage_path == key:
                self._is_whole(file)

    def removed(self, key: str, age: timedelta) -> None:
        if age > self._grace and current_name() != "world":
            self.seen["blob swept in the storm"] += 1
        for file in self._rows.files.values():
            if key in file.blob_keys():
                self._breach("I3", f"{key} was deleted by {current_name()}, but {file.id} names it")

    # Time

    def clock_jumped(self) -> None:
        """Every lease of now may be seen as over by who has read the clock before, or does soon."""
        jobs = self._rows.jobs.values()
        self._excused |= {job.id for job in jobs if job.status is JobStatus.PROCESSING}

    def look(self, time: float, calm_since: float) -> None:
        """Called now and then: no lease is over for long while nothing disturbs the reapers."""
        now = self._now()
        for job in self._rows.jobs.values():
            if job.status is not JobStatus.PROCESSING or not job.has_lapsed(now, skew=OVERDUE):
                self._overdue.pop(job.id, None)
            elif time - max(self._overdue.setdefault(job.id, time), calm_since) > 60:
                self._breach("I5", f"job {job.id} is held by {job.worker} long after its lease")


def _may_be_forgotten(job: Job) -> bool:
    return job.job_type is JobType.PROCESS or not job.status.is_live
