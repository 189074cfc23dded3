from datetime import datetime
from types import TracebackType
from typing import Self

from docstore.adapters.persistence.sql.claims import SqlClaims
from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.files import SqlFiles
from docstore.adapters.persistence.sql.jobs import SqlJobs
from docstore.adapters.persistence.sql.transaction import Transaction
from docstore.adapters.persistence.sql.upkeep import SqlUpkeep
from docstore.adapters.persistence.sql.users import SqlUsers
from docstore.application.ports.unit_of_work import REFUSALS
from docstore.domain.errors import DocstoreError


class SqlUnitOfWork:
    """The repositories on one transaction, whatever driver it runs on. They are made as they are
    asked for: of five a request needs one or two.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._is_refused = False
        self._is_committed = False

    @property
    def files(self) -> SqlFiles:
        return SqlFiles(self._transaction)

    @property
    def jobs(self) -> SqlJobs:
        return SqlJobs(self._transaction)

    @property
    def users(self) -> SqlUsers:
        return SqlUsers(self._transaction)

    @property
    def claims(self) -> SqlClaims:
        return SqlClaims(self._transaction)

    @property
    def upkeep(self) -> SqlUpkeep:
        return SqlUpkeep(self._transaction)

    @property
    def may_be_saved(self) -> bool:
        return self._is_committed or (self._transaction.is_sent and not self._is_refused)

    async def now(self) -> datetime:
        with sql_errors("the time"):
            return await self._transaction.now()

    async def commit(self) -> None:
        try:
            with sql_errors("commit"):
                await self._transaction.commit()
        except REFUSALS:
            self._is_refused = True
            raise
        self._is_committed = True

    async def __aenter__(self) -> Self:
        with sql_errors("begin"):
            await self._transaction.begin()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        try:
            with sql_errors("rollback"):
                await self._transaction.end()
        except DocstoreError:
            if exc is None:  # else what went wrong first is what counts
                raise
