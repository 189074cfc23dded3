"""The database, and its units of work."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from docstore.adapters.persistence.memory.claims import MemoryClaims
from docstore.adapters.persistence.memory.files import MemoryFiles
from docstore.adapters.persistence.memory.jobs import MemoryJobs
from docstore.adapters.persistence.memory.transaction import Change, Rows, Transaction
from docstore.adapters.persistence.memory.upkeep import MemoryUpkeep
from docstore.adapters.persistence.memory.users import MemoryUsers


class MemoryUnitOfWork:
    files: MemoryFiles
    jobs: MemoryJobs
    users: MemoryUsers
    claims: MemoryClaims
    upkeep: MemoryUpkeep
    may_be_saved = False

    def __init__(self, database: "MemoryDatabase", *, read_only: bool, add_only: bool) -> None:
        self._database = database
        self._read_only = read_only
        self._add_only = add_only

    async def now(self) -> datetime:
        return self._database.now()

    async def commit(self) -> None:
        self._database.apply(self._transaction.changes)
        self.may_be_saved = True

    async def __aenter__(self) -> Self:
        transaction = Transaction(
            self._database.rows, read_only=self._read_only, add_only=self._add_only
        )
        self._transaction = transaction
        self.files = MemoryFiles(transaction)
        self.jobs = MemoryJobs(transaction)
        self.users = MemoryUsers(transaction)
        self.claims = MemoryClaims(transaction)
        self.upkeep = MemoryUpkeep(transaction)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None: ...


class MemoryDatabase:
    """Forgets everything with the process. `now` is the clock that leases are measured by."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.rows = Rows()

    def begin(self, *, read_only: bool = False, add_only: bool = False) -> MemoryUnitOfWork:
        return MemoryUnitOfWork(self, read_only=read_only, add_only=add_only)

    def apply(self, changes: Sequence[Change]) -> None:
        """All of them or, when one raises, none."""
        rows = self.rows.copy()
        for change in changes:
            change(rows)
        self.rows = rows

    async def migrate(self) -> None:
        """Nothing to do: it is empty at every start."""

    async def ping(self) -> None:
        """It always answers."""


def connect(url: str, *, durable: bool = True) -> MemoryDatabase:
    """A new, empty database for each call, whatever the URL and `durable` say."""
    return MemoryDatabase()
