"""The lives of a file and of a job, as data: whatever decides a status is in this module.

`docs/lifecycle.md` draws both; a test compares the drawings with these tables.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar

from docstore.domain.errors import IllegalTransition


class FileStatus(StrEnum):
    UPLOADED = "uploaded"  # bytes and job are recorded
    PROCESSING = "processing"  # an attempt has begun; automatic retries stay here
    PROCESSED = "processed"  # what was found is saved
    FAILED = "failed"  # the last attempt is spent

    @property
    def is_final(self) -> bool:
        return self in (FileStatus.PROCESSED, FileStatus.FAILED)


class JobStatus(StrEnum):
    QUEUED = "queued"  # to be handed out once due
    PROCESSING = "processing"  # one worker holds the lease
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_live(self) -> bool:
        return self in (JobStatus.QUEUED, JobStatus.PROCESSING)


class Action(StrEnum):
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    RETRY = "retry"  # by hand, after a failure: a new job, a new generation
    REPROCESS = "reprocess"  # by hand, after success: likewise
    REQUEUE = "requeue"  # this attempt failed, another is granted
    EXPIRE = "expire"  # the lease is over
    RELEASE = "release"  # the worker is stopping; the attempt is given back


FILE: Final[Mapping[FileStatus, Mapping[Action, FileStatus]]] = {
    FileStatus.UPLOADED: {Action.START: FileStatus.PROCESSING},
    FileStatus.PROCESSING: {
        Action.SUCCEED: FileStatus.PROCESSED,
        Action.FAIL: FileStatus.FAILED,
    },
    FileStatus.PROCESSED: {Action.REPROCESS: FileStatus.PROCESSING},
    FileStatus.FAILED: {Action.RETRY: FileStatus.PROCESSING},
}

JOB: Final[Mapping[JobStatus, Mapping[Action, JobStatus]]] = {
    JobStatus.QUEUED: {Action.START: JobStatus.PROCESSING},
    JobStatus.PROCESSING: {
        Action.SUCCEED: JobStatus.COMPLETED,
        Action.REQUEUE: JobStatus.QUEUED,
        Action.EXPIRE: JobStatus.QUEUED,
        Action.RELEASE: JobStatus.QUEUED,
        Action.FAIL: JobStatus.FAILED,
    },
    JobStatus.COMPLETED: {},
    JobStatus.FAILED: {},
}

S = TypeVar("S", bound=StrEnum)


def after(table: Mapping[S, Mapping[Action, S]], status: S, action: Action) -> S:
    """The status that `action` leads to; IllegalTransition when the table has none."""
    try:
        return table[status][action]
    except KeyError:
        raise IllegalTransition(status, action) from None
