"""SQLite through SQLAlchemy's async engine: every statement runs in a thread of its connection."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import URL, Connection, Executable, Row, event, make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from docstore.adapters.persistence.sql import migrating, sqlite
from docstore.adapters.persistence.sql.adding import OnlyAdding
from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.tables import users
from docstore.adapters.persistence.sql.unit_of_work import SqlUnitOfWork
from docstore.domain.errors import Unavailable

_ANY_USER: Final = select(users.c.id).limit(1)


class AiosqliteTransaction:
    """One transaction on one connection of `engine`, which says how transactions begin."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.is_sent = False

    async def begin(self) -> None:
        async with AsyncExitStack() as stack:
            self._db: AsyncConnection = await stack.enter_async_context(self._engine.connect())
            await self._db.begin()
            self._leave = stack.pop_all()

    async def fetch(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> Sequence[Row[Any]]:
        return (await self._db.execute(statement, values)).all()

    async def change(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        return (await self._db.execute(statement, values)).rowcount

    async def now(self) -> datetime:
        return sqlite.now()

    async def commit(self) -> None:
        self.is_sent = True
        await self._db.commit()

    async def end(self) -> None:
        # Closing rolls back what was not committed; SQLAlchemy shields it from a cancellation.
        await self._leave.aclose()


class AiosqliteDatabase:
    """A SQLite file, made on opening. `migrate` brings its tables up to date; opening does not."""

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self._url = make_url(url)
        self._path = sqlite.file_of(self._url)
        self._durable = durable
        self._writer = _writer(self._url, durable=durable)
        self._readers = _readers(self._url)

    def begin(self, *, read_only: bool = False, add_only: bool = False) -> SqlUnitOfWork:
        transaction = AiosqliteTransaction(self._readers if read_only else self._writer)
        return SqlUnitOfWork(OnlyAdding(transaction) if add_only else transaction)

    async def migrate(self) -> None:
        """To the newest revision; NewerData when the file was made by a newer docstore."""
        with sql_errors("migration"):
            await migrating.upgrade(self._url)

    async def due_migrations(self) -> Sequence[str]:
        """What `migrate` would bring, oldest first; all there is for a new file."""
        with sql_errors("reading the revision"):
            return await migrating.due(self._url)

    async def ping(self) -> None:
        try:
            async with self._readers.connect() as db:
                await db.execute(_ANY_USER)
        except SQLAlchemyError as error:
            raise Unavailable("the database does not answer") from error

    async def __aenter__(self) -> Self:
        with sqlite.file_errors(self._path):
            await asyncio.to_thread(sqlite.create_file, self._path)
        with sql_errors("opening"):
            # What is wrong with the file is said now; and not through aiosqlite, whose thread
            # outlives a connection that fails, and with it the event loop.
            await asyncio.to_thread(sqlite.try_out, self._url, durable=self._durable)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self._readers.dispose()
        await self._writer.dispose()


def connect(url: str, *, durable: bool = True) -> AiosqliteDatabase:
    """`sqlite+aiosqlite:///relative/path` or, with four slashes, an absolute one."""
    return AiosqliteDatabase(url, durable=durable)


def _writer(url: URL, *, durable: bool) -> AsyncEngine:
    """One connection: SQLite has one writer at a time, so waiting for it is best done here, in
    turn, not by polling its lock.
    """
    engine = _engine(url, sqlite.PATIENT | sqlite.writing(durable=durable), size=1)
    _begin_with(engine, "BEGIN IMMEDIATE")  # a lock taken late cannot be waited for
    return engine


def _readers(url: URL) -> AsyncEngine:
    """Connections that cannot write, and in WAL wait for nobody."""
    engine = _engine(url, sqlite.PATIENT | sqlite.READING, size=sqlite.READERS)
    _begin_with(engine, "BEGIN")
    return engine


def _engine(url: URL, pragmas: Mapping[str, str], *, size: int) -> AsyncEngine:
    return create_async_engine(
        url, pool_size=size, max_overflow=0, pool_timeout=sqlite.WAIT, **sqlite.options(pragmas)
    )


def _begin_with(engine: AsyncEngine, statement: str) -> None:
    begin: Callable[[Connection], object] = lambda db: db.exec_driver_sql(statement)  # noqa: E731
    event.listen(engine.sync_engine, "begin", begin)
