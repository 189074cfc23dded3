from collections.abc import Callable, Iterable, Set
from dataclasses import fields, replace
from datetime import timedelta
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import pytest

from docstore.application.ports.unit_of_work import Begin
from docstore.domain import file, job, user
from docstore.domain.file import Details, File
from docstore.domain.findings import Notice, Rendition
from docstore.domain.job import Job
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.names import Email, FileName, MediaType
from docstore.domain.user import User
from docstore.testing.builders import A_FAILURE, MOMENT, a_file, a_job, a_step, a_user
from docstore.testing.unit_of_work.saving import OnAnEmptyDatabase, save

LATER: Final = MOMENT + timedelta(days=1, microseconds=1)

PROCESSED: Final = {
    "status": FileStatus.PROCESSED,
    "original_filename": FileName("renamed.txt"),
    "media_type": MediaType("image/png"),
    "storage_path": "files/x/2/original",
    "updated_at": LATER,
    "processed_at": LATER,
    "details": Details(title="t", description="d", tags=("a",), metadata={"k": 1}),
    "generation": 2,
    "extracted": {"text": None},
    "text_key": "files/x/2/text",
    "renditions": (
        Rendition(
            name="thumbnail",
            media_type=MediaType("image/webp"),
            width=1,
            height=2,
            size=3,
            key="files/x/2/thumbnail",
        ),
    ),
    "warnings": (Notice("partial", "half of it"),),
}
FAILED: Final = {"status": FileStatus.FAILED, "failure": A_FAILURE}

STARTED: Final = {
    "status": JobStatus.PROCESSING,
    "attempts": 2,
    "crash_attempts": 1,
    "releases": 3,
    "due_at": LATER,
    "dispatched_at": LATER,
    "lease_token": UUID(int=1, version=4),
    "lease_until": LATER,
    "heartbeat_at": LATER,
    "worker": "somebody",
    "started_at": LATER,
    "steps": (a_step("text"),),
}
GIVEN_UP: Final = {
    "status": JobStatus.FAILED,
    "attempts": 1,
    "started_at": MOMENT,
    "completed_at": LATER,
    "failure": A_FAILURE,
}

SOMEBODY_ELSE: Final = {
    "email": Email("somebody.else@example.org"),
    "external_id": "theirs",
    "password_hash": "hash",
    "disabled_at": LATER,
    "token_version": 2,
}

CHANGES: Final[dict[type, list[dict[str, Any]]]] = {
    File: [PROCESSED, FAILED],
    Job: [STARTED, GIVEN_UP],
    User: [SOMEBODY_ELSE],
}
FIXED: Final = {File: file.FIXED, Job: job.FIXED, User: user.FIXED}


class UpdatesContract(OnAnEmptyDatabase):
    """An update may write less than the whole row: what is FIXED stays as it was added. All else
    has to be kept, also what the next feature adds.
    """

    @pytest.mark.parametrize("kind", [File, Job, User])
    def test_every_field_is_fixed_or_is_changed_below(self, kind: type) -> None:
        every = {each.name for each in fields(kind)}
        assert _names(CHANGES[kind]) | {"version"} == every - FIXED[kind]

    @pytest.mark.parametrize("changes", CHANGES[File], ids=["processed", "failed"])
    async def test_each_change_of_a_file_is_kept(
        self, begin: Begin, owner: User, changes: dict[str, Any]
    ) -> None:
        before = a_file(user_id=owner.id)
        changed = replace(before, **changes, version=2)
        await save(begin, before)
        await _is_kept(begin, attrgetter("files"), changed)

    @pytest.mark.parametrize("changes", CHANGES[Job], ids=["started", "given up"])
    async def test_each_change_of_a_job_is_kept(
        self, begin: Begin, owner: User, changes: dict[str, Any]
    ) -> None:
        its_file = a_file(user_id=owner.id)
        before = a_job(user_id=owner.id, file_id=its_file.id)
        changed = replace(before, **changes, version=2)
        await save(begin, its_file, before)
        await _is_kept(begin, attrgetter("jobs"), changed)

    @pytest.mark.parametrize("changes", CHANGES[User], ids=["somebody else"])
    async def test_each_change_of_a_user_is_kept(
        self, begin: Begin, changes: dict[str, Any]
    ) -> None:
        before = a_user()
        changed = replace(before, **changes, version=2)
        await save(begin, before)
        await _is_kept(begin, attrgetter("users"), changed)


async def _is_kept(begin: Begin, rows: Callable[[Any], Any], changed: File | Job | User) -> None:
    """`rows` of a transaction are those of its kind."""
    async with begin() as tx:
        await rows(tx).update(changed)
        await tx.commit()
    async with begin(read_only=True) as tx:
        assert await rows(tx).get(changed.id) == changed


def _names(changes: Iterable[dict[str, Any]]) -> Set[str]:
    return {name for each in changes for name in each}
