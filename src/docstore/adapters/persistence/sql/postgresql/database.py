import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from docstore.adapters.persistence.sql import migrating
from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.postgresql.transaction import PostgresqlTransaction
from docstore.adapters.persistence.sql.tables import users
from docstore.adapters.persistence.sql.unit_of_work import SqlUnitOfWork
from docstore.domain.errors import Unavailable
import os
_ANY_USER: Final = select(users.c.id).limit(1)

DRIVER=os.environ.get("DRV","asyncpg")

class PostgresqlDatabase:
    def __init__(self, url: str, *, durable: bool = True) -> None:
        self._url = make_url(url).set(drivername=f"postgresql+{DRIVER}")
        self._durable = durable
        self._writers = create_async_engine(self._url, pool_size=10, max_overflow=0, pool_timeout=3, pool_pre_ping=True)
        self._readers = self._writers.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def begin(self, *, read_only: bool = False) -> SqlUnitOfWork:
        return SqlUnitOfWork(PostgresqlTransaction(self._readers if read_only else self._writers))

    async def migrate(self) -> None:
        with sql_errors("migration"):
            await migrating.upgrade(self._url)

    async def due_migrations(self) -> Sequence[str]:
        with sql_errors("reading the revision"):
            return await migrating.due(self._url)

    async def ping(self) -> None:
        try:
            async with self._readers.connect() as db:
                await db.execute(_ANY_USER)
        except SQLAlchemyError as error:
            raise Unavailable("the database does not answer") from error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self._writers.dispose()


def connect(url: str, *, durable: bool = True) -> PostgresqlDatabase:
    return PostgresqlDatabase(url, durable=durable)
