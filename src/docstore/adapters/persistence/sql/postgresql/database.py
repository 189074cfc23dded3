from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from docstore.adapters.persistence.sql import migrating
from docstore.adapters.persistence.sql.adding import OnlyAdding
from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.postgresql import engine
from docstore.adapters.persistence.sql.postgresql.transaction import PostgresqlTransaction
from docstore.adapters.persistence.sql.tables import users
from docstore.adapters.persistence.sql.unit_of_work import SqlUnitOfWork
from docstore.domain.errors import DocstoreError, Unavailable

_ANY_USER: Final = select(users.c.id).limit(1)


class PostgresqlDatabase:
    """A database on a server that others use as well. Opening it asks nothing of the server, which
    may be away: what is asked then is Unavailable, until it is back.
    """

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self._url = engine.url_of(url)
        self._options = engine.options()
        self._durable = durable

    def begin(self, *, read_only: bool = False, add_only: bool = False) -> SqlUnitOfWork:
        chosen = self._readers if read_only else self._writers
        transaction = PostgresqlTransaction(chosen, wait=self._options.wait)
        return SqlUnitOfWork(OnlyAdding(transaction) if add_only else transaction)

    async def migrate(self) -> None:
        """To the newest revision, while all others wait; NewerData when the database was made by a
        newer docstore."""
        with sql_errors("migration"):
            await migrating.upgrade(self._url)

    async def due_migrations(self) -> Sequence[str]:
        """What `migrate` would bring, oldest first; all there is for an empty database."""
        with sql_errors("reading the revision"):
            return await migrating.due(self._url)

    async def ping(self) -> None:
        transaction = PostgresqlTransaction(self._readers, wait=self._options.wait)
        try:
            await transaction.begin()
            try:
                await transaction.fetch(_ANY_USER, {})
            finally:
                await transaction.end()
        except (SQLAlchemyError, DocstoreError) as error:
            raise Unavailable("the database does not answer") from error

    async def __aenter__(self) -> Self:
        # READ COMMITTED: what somebody else commits meanwhile is seen by the rule that each
        # statement carries, such as the version it replaces.
        self._writers = engine.pooled(self._url, self._options, durable=self._durable)
        self._readers = self._writers.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self._writers.dispose()


def connect(url: str, *, durable: bool = True) -> PostgresqlDatabase:
    """`postgresql://user@host/database`; see docs/postgresql.md."""
    return PostgresqlDatabase(url, durable=durable)
