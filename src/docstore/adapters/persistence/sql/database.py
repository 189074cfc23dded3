import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import make_url, select
from sqlalchemy.exc import SQLAlchemyError

from docstore.adapters.persistence.sql import migrating, sqlite
from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.tables import users
from docstore.adapters.persistence.sql.unit_of_work import SqlUnitOfWork
from docstore.domain.errors import Unavailable

_ANY_USER = select(users.c.id).limit(1)


class SqlDatabase:
    """A SQLite file, made on opening. `migrate` brings its tables up to date; opening does not."""

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self._url = make_url(url)
        if not self._url.database or self._url.database == ":memory:":
            raise ValueError(f"{url} names no file; for a store in memory there is memory://")
        self._writer = sqlite.writer(self._url, durable=durable)
        self._readers = sqlite.readers(self._url)

    def begin(self, *, read_only: bool = False) -> SqlUnitOfWork:
        return SqlUnitOfWork(self._readers if read_only else self._writer)

    async def migrate(self) -> None:
        """To the newest revision; NewerData when the file was made by a newer docstore."""
        with sql_errors("migration"):
            await migrating.upgrade(self._url)

    async def ping(self) -> None:
        try:
            async with self._readers.connect() as db:
                await db.execute(_ANY_USER)
        except SQLAlchemyError as error:
            raise Unavailable("the database does not answer") from error

    async def __aenter__(self) -> Self:
        path = Path(str(self._url.database))
        try:
            await asyncio.to_thread(sqlite.create_file, path)
        except OSError as error:
            raise Unavailable(f"the database {path} cannot be made: {error.strerror}") from error
        with sql_errors("opening"):
            async with self._writer.connect():
                pass  # what is wrong with the file is said now
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self._readers.dispose()
        await self._writer.dispose()


def connect(url: str, *, durable: bool = True) -> SqlDatabase:
    """`sqlite+aiosqlite:///relative/path` or, with four slashes, an absolute one."""
    return SqlDatabase(url, durable=durable)
