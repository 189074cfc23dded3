"""Makes valid entities for tests, each new one unlike the others: `a_file(size=3)`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from uuid_utils.compat import uuid7

from docstore.domain.failure import Failure, FailureCode
from docstore.domain.file import File
from docstore.domain.ids import FileId, JobId, LeaseToken, UserId
from docstore.domain.job import Job, JobType
from docstore.domain.keys import prefixes, staging_key
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.names import Email, FileName, MediaType
from docstore.domain.step import Step, StepResult, StepState
from docstore.domain.user import User

MOMENT: Final = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
"""When everything here was made, unless the test says otherwise."""

A_FAILURE: Final = Failure(FailureCode.CORRUPT, "the table of contents is cut off")


def a_user(**changes: Any) -> User:
    """Somebody with an e-mail address and no password."""
    ident = _new_id()
    user = User(id=UserId(ident), created_at=MOMENT, email=Email(f"{ident}@example.org"))
    return replace(user, **changes)


def a_file(**changes: Any) -> File:
    """A text just uploaded, of a user that is nowhere saved; `status` brings what it requires."""
    file_id = FileId(changes.get("id", _new_id()))
    file = File(
        id=file_id,
        user_id=UserId(_new_id()),
        original_filename=FileName("letter.txt"),
        size=11,
        sha256="b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
        media_type=MediaType("text/plain"),
        key=f"key-{file_id.hex}",
        storage_path=staging_key(file_id),
        uploaded_at=MOMENT,
        updated_at=MOMENT,
    )
    return replace(file, **{**_required_of_a_file(changes.get("status")), **changes})


def a_job(**changes: Any) -> Job:
    """A job due at once, for a file that is nowhere saved; `status` brings what it requires."""
    job = Job(
        id=JobId(_new_id()),
        file_id=FileId(_new_id()),
        user_id=UserId(_new_id()),
        queued_at=MOMENT,
        due_at=MOMENT,
    )
    return replace(job, **{**_required_of_a_job(changes.get("status")), **changes})


def a_purge(**changes: Any) -> Job:
    """A job that deletes what was stored for a file whose row is gone."""
    gone = FileId(_new_id())
    return a_job(
        **{"job_type": JobType.PURGE, "file_id": None, "payload": prefixes(gone), **changes}
    )


def a_step(processor: str, **changes: Any) -> Step:
    """What version 1 of that processor has done, unless `state` says otherwise."""
    state = StepState(changes.pop("state", StepState.DONE))
    step = Step(processor=processor, version="1", state=state)
    return replace(step, **{**_required_of_a_step(state), **changes})


def _required_of_a_step(state: StepState) -> dict[str, Any]:
    started = {"attempt": 1, "started_at": MOMENT}
    match state:
        case StepState.RUNNING:
            return started
        case StepState.DONE:
            return started | {"ended_at": MOMENT, "log": "nothing", "result": StepResult()}
        case StepState.FAILED:
            failure = {"error": A_FAILURE.code, "log": A_FAILURE.message}
            return started | failure | {"ended_at": MOMENT}
        case _:
            return {}


def _required_of_a_file(status: FileStatus | None) -> dict[str, Any]:
    match status:
        case FileStatus.PROCESSED:
            return {"processed_at": MOMENT, "extracted": {}}
        case FileStatus.FAILED:
            return {"failure": A_FAILURE}
        case _:
            return {}


def _required_of_a_job(status: JobStatus | None) -> dict[str, Any]:
    started = {"attempts": 1, "started_at": MOMENT}
    match status:
        case JobStatus.PROCESSING:
            return started | {
                "lease_token": LeaseToken(_new_id()),
                "lease_until": MOMENT + timedelta(seconds=30),
                "heartbeat_at": MOMENT,
                "worker": "host-1-0",
            }
        case JobStatus.COMPLETED:
            return started | {"completed_at": MOMENT}
        case JobStatus.FAILED:
            return started | {"completed_at": MOMENT, "failure": A_FAILURE}
        case _:
            return {}


def _new_id() -> UUID:
    return uuid7()
