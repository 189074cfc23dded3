from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Engine, Executable, Row

from docstore.adapters.persistence.sql import sqlite
from docstore.adapters.persistence.sql.inline.remembered import Remembered
from docstore.adapters.persistence.sql.inline.statements import Statements
from docstore.adapters.persistence.sql.inline.turns import Turns
from docstore.adapters.persistence.sql.inline.waiting import in_thread, unlocked

T = TypeVar("T")


class Readers:
    """Connections that cannot write, and in WAL wait for nobody. Opened as they are needed."""

    def __init__(self, engine: Engine, threads: Executor) -> None:
        self._engine = engine
        self._idle: list[Remembered] = []
        self._turns = Turns(sqlite.READERS)
        self.threads = threads

    def open(self) -> None:
        """The first one, so that what is wrong with the file is said now."""
        self._idle.append(self._connect())

    def close(self) -> None:
        while self._idle:
            self._idle.pop().db.close()

    async def take(self) -> Remembered:
        await self._turns.take(sqlite.WAIT)
        try:
            # The one that was used last knows most of the file.
            return self._idle.pop() if self._idle else self._connect()
        except BaseException:
            self._turns.give()
            raise

    def give(self, statements: Remembered) -> None:
        try:
            if statements.driver.in_transaction:
                statements.driver.execute("ROLLBACK")
            self._idle.append(statements)
        except BaseException:
            statements.db.close()
            raise
        finally:
            self._turns.give()

    def _connect(self) -> Remembered:
        return Remembered(Statements(self._engine.connect()))


class ReadTransaction:
    """Takes a connection at its first statement, and sees the rows as they are then to its end."""

    is_sent = False  # there is nothing to send

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._statements: Remembered | None = None
        self._has_looked = False

    async def begin(self) -> None:
        """Nothing yet."""

    async def fetch(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> Sequence[Row[Any]]:
        fetch = (await self._connection()).fetch
        return await self._run(lambda: fetch(statement, values), long=long)

    async def change(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        """Refused by SQLite."""
        change = (await self._connection()).change
        return await self._run(lambda: change(statement, values), long=long)

    async def now(self) -> datetime:
        return sqlite.now()

    async def commit(self) -> None:
        """There is nothing to commit."""

    async def end(self) -> None:
        statements, self._statements = self._statements, None
        if statements is not None:
            self._readers.give(statements)

    async def _connection(self) -> Remembered:
        if self._statements is None:
            self._statements = await self._readers.take()
            self._has_looked = False
            self._statements.driver.execute("BEGIN")
        return self._statements

    async def _run(self, call: Callable[[], T], *, long: bool) -> T:
        """The first look at the file fixes what is seen. It alone may meet a lock: while another
        process mends the file after a crash.
        """
        if long:
            await self._look()
            return await in_thread(self._readers.threads, call)
        if self._has_looked:
            return call()
        found = await unlocked(call)
        self._has_looked = True
        return found

    async def _look(self) -> None:
        if self._statements is not None and not self._has_looked:
            driver = self._statements.driver
            await unlocked(lambda: driver.execute("PRAGMA schema_version").fetchall())
            self._has_looked = True
