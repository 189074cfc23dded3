import asyncio
import sqlite3
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from sqlalchemy import make_url, select
from sqlalchemy.exc import SQLAlchemyError

from docstore.adapters.persistence.sql import migrating, sqlite
from docstore.adapters.persistence.sql.adding import OnlyAdding
from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.inline.batches import AddOnlyTransaction, Batches
from docstore.adapters.persistence.sql.inline.reading import Readers, ReadTransaction
from docstore.adapters.persistence.sql.inline.waiting import started
from docstore.adapters.persistence.sql.inline.writer import Writer
from docstore.adapters.persistence.sql.inline.writing import WriteTransaction
from docstore.adapters.persistence.sql.tables import users
from docstore.adapters.persistence.sql.unit_of_work import SqlUnitOfWork
from docstore.domain.errors import Unavailable

_ANY_USER: Final = select(users.c.id).limit(1)
_NO_CHECKPOINTS: Final = {"wal_autocheckpoint": "0"}  # the writer says when


class SqliteDatabase:
    """A SQLite file, made on opening. `migrate` brings its tables up to date; opening does not.

    Statements run on the event loop itself, where they take less time than the way to a thread
    would; those that may take longer, and what waits for the disk, go to a thread.
    """

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self._url = make_url(url)
        self._path = sqlite.file_of(self._url)
        self._durable = durable

    def begin(self, *, read_only: bool = False, add_only: bool = False) -> SqlUnitOfWork:
        if add_only:
            return SqlUnitOfWork(OnlyAdding(AddOnlyTransaction(self._batches)))
        if read_only:
            return SqlUnitOfWork(ReadTransaction(self._readers))
        return SqlUnitOfWork(WriteTransaction(self._writer))

    async def migrate(self) -> None:
        """To the newest revision; NewerData when the file was made by a newer docstore."""
        with sql_errors("migration"):
            await migrating.upgrade(self._url)

    async def due_migrations(self) -> Sequence[str]:
        """What `migrate` would bring, oldest first; all there is for a new file."""
        with sql_errors("reading the revision"):
            return await migrating.due(self._url)

    async def ping(self) -> None:
        transaction = ReadTransaction(self._readers)
        try:
            await transaction.fetch(_ANY_USER, {})
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise Unavailable("the database does not answer") from error
        finally:
            await transaction.end()

    async def __aenter__(self) -> Self:
        with sqlite.file_errors(self._path):
            await asyncio.to_thread(sqlite.create_file, self._path)
        with sql_errors("opening"):
            await asyncio.to_thread(self._open)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self._batches.settled()
        await self._writer.settled()
        await asyncio.to_thread(self._close)

    def _open(self) -> None:
        writing = sqlite.PATIENT | sqlite.writing(durable=self._durable) | _NO_CHECKPOINTS
        reading = sqlite.IMPATIENT | sqlite.READING
        # A thread for each connection, so that none waits for another one's.
        self._threads = started(sqlite.READERS + 1, "sqlite")
        self._writer = Writer(
            sqlite.engine(self._url, writing), self._threads, durable=self._durable
        )
        self._readers = Readers(sqlite.engine(self._url, reading), self._threads)
        self._writer.open()
        self._batches = Batches(self._writer)
        try:
            self._readers.open()
        except BaseException:
            self._writer.close()
            raise

    def _close(self) -> None:
        self._readers.close()
        self._writer.close()  # the last one out puts the log in its place
        self._threads.shutdown()


def connect(url: str, *, durable: bool = True) -> SqliteDatabase:
    """`sqlite:///relative/path` or, with four slashes, an absolute one."""
    return SqliteDatabase(url, durable=durable)
