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

from sqlalchemy import Insert

from docstore.adapters.persistence.sql import sqlite
from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.inline.writer import Outcome, Writer, tell
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

    async def change(
        self, statement: Insert, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        """One row, if nothing is wrong with it."""
        self._changes.append(partial(self._batches.insert, statement, values))
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
    until: float  # by the loop's clock: how long it waits for its turn
    is_sent: bool = False  # with a COMMIT


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
        member = Member(changes, loop.create_future(), loop.time() + sqlite.WAIT)
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
                tell(member.outcome, Unavailable("interrupted"))
            self._waiting.clear()

    async def _next(self) -> None:
        """One batch. Who joins while the turn or a lock is waited for belongs to it."""
        left = self._waiting[0].until - asyncio.get_running_loop().time()
        try:
            await self._writer.enter(self, within=max(0.0, left))
        except Exception as error:
            self._give_up(error)
            return
        batch = self._take()
        try:
            await self._commit(batch)
        except BaseException as error:
            for member in batch:
                tell(member.outcome, error)
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
                tell(member.outcome, error)
        await self._writer.commit_now(self, fine)

    def _give_up(self, error: Exception) -> None:
        """Who has waited for too long is told `error`: the first, in any case."""
        now = asyncio.get_running_loop().time()
        late = max(1, sum(member.until <= now for member in self._waiting))
        for member in self._waiting[:late]:  # they stand in the order in which they came
            tell(member.outcome, error)
        del self._waiting[:late]

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
