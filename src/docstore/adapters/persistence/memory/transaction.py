"""All rows, and what one transaction sees and changes of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from docstore.domain.errors import NotFound
from docstore.domain.file import File
from docstore.domain.idempotency import Claim
from docstore.domain.ids import FileId
from docstore.domain.job import Job
from docstore.domain.user import User


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows at one moment. A committed one is never changed, so it can be read for ever."""

    users: dict[UUID, User] = field(default_factory=dict)
    files: dict[UUID, File] = field(default_factory=dict)
    jobs: dict[UUID, Job] = field(default_factory=dict)
    claims: dict[tuple[UUID, str], Claim] = field(default_factory=dict)

    def copy(self) -> "Rows":
        return Rows(dict(self.users), dict(self.files), dict(self.jobs), dict(self.claims))


Change = Callable[[Rows], None]


class Transaction:
    """Sees the rows as they were when it began, and its own changes.

    At the commit the changes are made once more, on the rows as they are then: each checks what
    it relies on, so what somebody else committed meanwhile is found by the same rule.
    """

    def __init__(self, rows: Rows, *, read_only: bool, add_only: bool) -> None:
        self._rows = rows
        self.changes: list[Change] = []
        self._read_only = read_only
        self._add_only = add_only

    @property
    def rows(self) -> Rows:
        if self._add_only:
            raise TypeError("a transaction that only adds was asked for what is there")
        return self._rows

    def make(self, change: Change, *, adds: bool = False) -> None:
        """`adds`: it adds a row, and changes none that is there."""
        if self._read_only:
            raise RuntimeError("a transaction that only reads was asked to write")
        if self._add_only:
            if not adds:
                raise TypeError("a transaction that only adds was asked to change what is there")
            self.changes.append(change)  # what is wrong with it is told as late as anywhere
            return
        if not self.changes:
            self._rows = self._rows.copy()
        change(self._rows)  # raises before it changes anything, if at all
        self.changes.append(change)


def delete_file(rows: Rows, file_id: FileId) -> None:
    if rows.files.pop(file_id, None) is None:
        raise NotFound("file", file_id)
    for job in [job for job in rows.jobs.values() if job.file_id == file_id]:
        del rows.jobs[job.id]
