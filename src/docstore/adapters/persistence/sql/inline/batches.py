"""Transactions that only add: all that wait run in one stretch of the event loop, to the COMMIT.

Others take their turns one after another, and the file is locked while the loop reads requests
and writes answers in between. Two processes would wait for each other most of the time.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeAlias

from sqlalchemy import Executable, Insert, Row

from docstore.adapters.persistence.sql import sqlite
from docstore.adapters.persistence.sql.inline.writer import Outcome, Writer

AT_ONCE: Final = 200  # INSERTs, about: the loop does nothing else for as long as they take

Change: TypeAlias = Callable[[], int]


class AddOnlyTransaction:
    """Keeps its INSERTs until its commit, which says what was wrong with them."""

    def __init__(self, batches: "Batches") -> None:
        self._batches = batches
        self._changes: list[Change] = []

    async def begin(self) -> None:
        """Nothing yet."""

    async def fetch(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> Sequence[Row[Any]]:
        raise TypeError("a transaction that only adds was asked for what is there")

    async def change(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        """One row, if nothing is wrong with it. Of other statements nobody would learn whether
        there was a row to change.
        """
        if not isinstance(statement, Insert):
            raise TypeError("a transaction that only adds was asked to change what is there")
        self._changes.append(partial(self._batches.change, statement, values))
        return 1

    async def now(self) -> datetime:
        return sqlite.now()

    async def commit(self) -> None:
        error = await self._batches.add(self._changes)
        if error is not None:
            raise error.with_traceback(None)

    async def end(self) -> None:
        """What was not committed was never begun."""


class Batches:
    """Whose commit has come, and the task that sees to it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.change = writer.statements.change
        self._waiting: list[tuple[Outcome, Sequence[Change]]] = []
        self._running: asyncio.Task[None] | None = None

    def add(self, changes: Sequence[Change]) -> Outcome:
        """What is returned tells how it ended. Who cancels it before its turn is left out."""
        outcome: Outcome = asyncio.get_running_loop().create_future()
        self._waiting.append((outcome, changes))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return outcome

    async def settled(self) -> None:
        """As soon as nobody waits any more."""
        while self._running is not None:
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._next()
        finally:
            self._running = None

    async def _next(self) -> None:
        """One batch. Who joins while the turn or a lock is waited for belongs to it."""
        try:
            await self._writer.enter(self)
        except Exception as error:
            waiting, self._waiting = self._waiting, []
            _tell(waiting, error)
            return
        batch = self._take()
        try:
            errors = self._writer.run_each(self, [changes for _, changes in batch])
            end = await self._writer.commit_now(self)
        except Exception as error:
            _tell(batch, error)
            return
        finally:
            self._writer.leave(self)
        for one, its_own in zip(batch, errors, strict=True):
            _tell([one], its_own or end)

    def _take(self) -> Sequence[tuple[Outcome, Sequence[Change]]]:
        """The first who wait; those who do not any more go without."""
        batch: list[tuple[Outcome, Sequence[Change]]] = []
        inserts = taken = 0
        for outcome, changes in self._waiting:
            if inserts >= AT_ONCE:
                break
            taken += 1
            if not outcome.done():
                batch.append((outcome, changes))
                inserts += len(changes)
        del self._waiting[:taken]
        return batch


def _tell(batch: Sequence[tuple[Outcome, Sequence[Change]]], end: Exception | None) -> None:
    for outcome, _ in batch:
        if not outcome.done():  # else who waited for it was cancelled
            outcome.set_result(end)
