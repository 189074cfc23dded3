"""Transactions that only add: all that wait run in one stretch of the event loop, to the COMMIT.

Others take their turns one after another, and the file is locked while the loop reads requests
and writes answers in between. Two processes would wait for each other most of the time.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeAlias

from sqlalchemy import Executable, Insert, Row

from docstore.adapters.persistence.sql import sqlite
from docstore.adapters.persistence.sql.adding import check_adds, refuse_to_fetch
from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.inline.writer import Outcome, Writer
from docstore.domain.errors import Unavailable

AT_ONCE: Final = 200  # INSERTs, about: the loop does nothing else for as long as they take

Change: TypeAlias = Callable[[], int]


class AddOnlyTransaction:
    """Keeps its INSERTs until its commit, which says what was wrong with them."""

    def __init__(self, batches: "Batches") -> None:
        self._batches = batches
        self._changes: list[Change] = []
        self._member: Member | None = None

    async def begin(self) -> None:
        """Nothing yet."""

    async def fetch(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> Sequence[Row[Any]]:
        refuse_to_fetch()

    async def change(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        """One row, if nothing is wrong with it."""
        self._changes.append(partial(self._batches.insert, check_adds(statement), values))
        return 1

    async def now(self) -> datetime:
        return sqlite.now()

    @property
    def is_sent(self) -> bool:
        return self._member is not None and self._member.is_sent

    async def commit(self) -> None:
        if self._member is not None:
            raise Unavailable("this transaction is over: committed, or refused")
        self._member = self._batches.join(self._changes)
        error = await self._member.outcome
        if error is not None:
            raise error.with_traceback(None)

    async def end(self) -> None:
        """What was not committed was never begun, nor will be."""
        if self._member is not None and not self._member.is_sent:
            self._member.outcome.cancel()


@dataclass(eq=False, slots=True)
class Member:
    """A transaction of a batch. Who cancels `outcome` before its turn is left out."""

    changes: Sequence[Change]
    outcome: Outcome
    since: float  # by the loop's clock
    is_sent: bool = False  # with a COMMIT

    def tell(self, end: Exception | None) -> None:
        if not self.outcome.done():  # else who waited for it was cancelled
            self.outcome.set_result(end)


class Batches:
    """Whose commit has come, and the task that sees to it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: list[Member] = []
        self._running: asyncio.Task[None] | None = None

    def insert(self, statement: Insert, values: Mapping[str, Any]) -> int:
        with sql_errors(f"a row of {statement.table.name}"):
            return self._writer.statements.change(statement, values)

    def join(self, changes: Sequence[Change]) -> Member:
        """Wait for the next batch that there is room in."""
        loop = asyncio.get_running_loop()
        member = Member(changes, loop.create_future(), loop.time())
        self._waiting.append(member)
        if self._running is None:
            self._running = loop.create_task(self._run())
        return member

    async def settled(self) -> None:
        """As soon as nobody waits any more."""
        while self._running is not None:
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._next()
                await asyncio.sleep(0)  # others come between two batches
        finally:
            self._running = None
            for member in self._waiting:  # none, unless this was interrupted
                member.tell(Unavailable("interrupted"))
            self._waiting.clear()

    async def _next(self) -> None:
        """One batch. Who joins while the turn or a lock is waited for belongs to it."""
        waited = asyncio.get_running_loop().time() - self._waiting[0].since
        try:
            await self._writer.enter(self, within=max(0.0, sqlite.WAIT - waited))
        except Exception as error:
            self._give_up(error)
            return
        batch = self._take()
        try:
            await self._commit(batch)
        except BaseException as error:
            for member in batch:
                member.tell(error if isinstance(error, Exception) else Unavailable("interrupted"))
            with suppress(sqlite3.Error):  # it has lost the group: all of that are told
                self._writer.leave(self)
            if not isinstance(error, Exception):
                raise

    async def _commit(self, batch: Sequence[Member]) -> None:
        errors = self._writer.run_each(self, [member.changes for member in batch])
        fine = []
        for member, error in zip(batch, errors, strict=True):
            if error is None:
                member.is_sent = True
                fine.append(member.outcome)
            else:
                member.tell(error)
        await self._writer.commit_now(self, fine)

    def _give_up(self, error: Exception) -> None:
        """Who has waited for too long is told `error`: the first, in any case."""
        late = asyncio.get_running_loop().time() - sqlite.WAIT
        first, *others = self._waiting
        self._waiting = [member for member in others if member.since > late]
        for member in (first, *others):
            if member is first or member.since <= late:
                member.tell(error)

    def _take(self) -> Sequence[Member]:
        """The first who wait; those who do not any more go without."""
        batch: list[Member] = []
        inserts = taken = 0
        for member in self._waiting:
            if inserts >= AT_ONCE:
                break
            taken += 1
            if not member.outcome.done():
                batch.append(member)
                inserts += len(member.changes)
        del self._waiting[:taken]
        return batch
