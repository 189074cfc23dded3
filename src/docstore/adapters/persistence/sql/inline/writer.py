import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias, TypeVar

from sqlalchemy import Engine

from docstore.adapters.persistence.sql import sqlite
from docstore.adapters.persistence.sql.inline.statements import Statements
from docstore.adapters.persistence.sql.inline.turns import Turns
from docstore.adapters.persistence.sql.inline.waiting import in_thread, unlocked
from docstore.domain.errors import Unavailable

log = logging.getLogger(__name__)

PATIENCE: Final = 1.0  # seconds, twice at most, that a transaction may do nothing while others wait
CHECKPOINT_AFTER: Final = 2000  # pages of the log, about; SQLite's own habit is 1000
PAGES_PER_GROUP: Final = 10  # the last page of each table and index; then about one for each

Outcome: TypeAlias = "asyncio.Future[Exception | None]"

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Group:
    """Transactions that end in one COMMIT."""

    outcomes: list[Outcome] = field(default_factory=list)  # of those that asked for it

    def tell(self, error: BaseException | None) -> None:
        for outcome in self.outcomes:
            tell(outcome, error)


def tell(outcome: Outcome, error: BaseException | None) -> None:
    """How it ended, to who waits for it. What ends the whole program is no error of his."""
    if error is not None and not isinstance(error, Exception):
        error = Unavailable("interrupted")
    if not outcome.done():  # else he was cancelled
        outcome.set_result(error)


class Writer:
    """The one connection that writes, and whose turn it is.

    SQLite has one writer at a time, so waiting for it is best done here. Each transaction is a
    savepoint in its group's transaction, from its turn to the next. When the first of a group ends
    the group takes its own place in the queue: all who stood there by then belong to it. Where no
    disk is waited for, one that nobody waits behind is a group of its own.
    """

    def __init__(self, engine: Engine, threads: Executor, *, durable: bool) -> None:
        self._engine = engine
        self._threads = threads
        self._durable = durable
        self._turns = Turns(1)
        self._holder: object | None = None
        self._in_thread = False
        self._group: Group | None = None
        self._end_of_group: asyncio.Task[None] | None = None
        self._pages = 0  # of the log, about, since the last checkpoint

    def open(self) -> None:
        """Says now what is wrong with the file."""
        self.db = self._engine.connect()
        self.statements = Statements(self.db)
        self._raw = self.statements.driver
        # Opening may wait, in its thread; from here on `unlocked` does.
        for name, value in sqlite.IMPATIENT.items():
            self._raw.execute(f"PRAGMA {name} = {value}")

    def close(self) -> None:
        self.db.close()

    async def settled(self) -> None:
        """As soon as no group is on its way any more."""
        while self._end_of_group is not None:
            await asyncio.wait([self._end_of_group])

    async def enter(self, holder: object, *, within: float | None = None) -> None:
        """Wait for the turn, and begin. An error when the turn, or then the lock of another
        process, takes longer than `within` (seconds; None: `sqlite.WAIT`).
        """
        within = sqlite.WAIT if within is None else within
        await self._turns.take(within)
        try:
            await self._begin(within)
        except BaseException:
            self._pass_on()
            raise
        self._holder = holder

    async def _begin(self, within: float) -> None:
        if self._group is None:
            await unlocked(partial(self._raw.execute, "BEGIN IMMEDIATE"), within=within)
            self._group = Group()
        self._raw.execute("SAVEPOINT one")

    async def run(self, holder: object, call: Callable[[], T], *, long: bool) -> T:
        self._check_turn(holder)
        try:
            return await self._run_in_thread(call) if long else call()
        except BaseException as error:
            if not self._raw.in_transaction:  # a full disk, and SQLite rolled back all of them
                self._lose_group(error)
            raise

    def commit(self, holder: object) -> Outcome:
        """The turn ends; what is returned tells how the group ended."""
        self._check_turn(holder)
        assert self._group is not None
        self._raw.execute("RELEASE one")
        outcome: Outcome = asyncio.get_running_loop().create_future()
        self._group.outcomes.append(outcome)
        if self._is_quick():
            self._commit_at_once()
        self._pass_on()
        return outcome

    def run_each(
        self, holder: object, transactions: Sequence[Sequence[Callable[[], object]]]
    ) -> Sequence[Exception | None]:
        """Several transactions in one turn; what was wrong with each, and undid it alone."""
        self._check_turn(holder)
        try:
            try:
                for changes in transactions:
                    for change in changes:
                        change()
            except Exception:  # of whatever kind: it is one's own, so all are tried again
                if not self._raw.in_transaction:
                    raise
                self._raw.execute("ROLLBACK TO one")
                return [self._try(changes) for changes in transactions]
            return [None] * len(transactions)
        except BaseException as error:
            if not self._raw.in_transaction:
                self._lose_group(error)
            raise

    def _try(self, changes: Sequence[Callable[[], object]]) -> Exception | None:
        self._raw.execute("SAVEPOINT each")
        wrong: Exception | None = None
        try:
            for change in changes:
                change()
        except Exception as error:
            if not self._raw.in_transaction:
                raise
            self._raw.execute("ROLLBACK TO each")
            wrong = error
        self._raw.execute("RELEASE each")
        return wrong

    async def commit_now(self, holder: object, outcomes: Sequence[Outcome]) -> None:
        """The turn ends with the group, which waits for nobody else; `outcomes` tell how that
        went, unless this raises before the COMMIT.
        """
        self._check_turn(holder)
        assert self._group is not None
        self._raw.execute("RELEASE one")
        self._group.outcomes += outcomes
        self._holder = None
        try:
            await self._commit()
            await self._checkpoint()
        finally:
            self._turns.give()

    def leave(self, holder: object) -> None:
        """Roll back, unless it was committed. The others of the group are not touched."""
        if self._holder is not holder:
            return
        try:
            self._raw.execute("ROLLBACK TO one")
            self._raw.execute("RELEASE one")
        except sqlite3.Error as error:
            self._lose_group(error)  # or it would commit what was to be undone
            raise
        self._pass_on()

    def _check_turn(self, holder: object) -> None:
        if self._holder is not holder:
            raise Unavailable("this transaction is over: committed, lost, or too slow")

    def _pass_on(self) -> None:
        self._holder = None
        if self._group is not None and self._end_of_group is None:
            self._end_of_group = asyncio.create_task(self._end_group())
        self._turns.give()

    def _watch(self, seen: object | None) -> None:
        """Evict who holds the turn since the last look, `seen`, and asks nothing of the database:
        whoever is committed already waits for it.
        """
        holder = self._holder
        if holder is not None and holder is seen and not self._in_thread:
            log.warning("a transaction was rolled back that made others wait for %s s", PATIENCE)
            self.leave(holder)
        loop = asyncio.get_running_loop()
        self._next_look = loop.call_later(PATIENCE, self._watch, holder)

    def _lose_group(self, error: BaseException) -> None:
        self._roll_back()
        group, self._group = self._group, None
        if group is not None:
            group.tell(error)
        self._pass_on()

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")

    async def _run_in_thread(self, call: Callable[[], T]) -> T:
        self._in_thread = True
        try:
            return await in_thread(self._threads, call)
        finally:
            self._in_thread = False

    async def _end_group(self) -> None:
        loop = asyncio.get_running_loop()
        self._next_look = loop.call_later(PATIENCE, self._watch, self._holder)
        try:
            await self._turns.take(None)
        except BaseException:
            self._end_of_group = None
            raise
        finally:
            self._next_look.cancel()
        try:
            await self._commit()
            await self._checkpoint()
        finally:
            self._end_of_group = None
            self._turns.give()

    async def _commit(self) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        outcome: Exception | None = Unavailable("the commit was interrupted")
        try:
            await self._execute_commit("COMMIT" if group.outcomes else "ROLLBACK")
            outcome = None
        except sqlite3.Error as error:
            outcome = error
        finally:
            self._conclude(group, outcome)

    def _is_quick(self) -> bool:
        """Whether the group may end here: nothing waits for a disk, and nobody for his turn."""
        is_alone = self._end_of_group is None and not self._turns.is_waited_for
        return is_alone and not self._durable and self._pages < CHECKPOINT_AFTER

    def _commit_at_once(self) -> None:
        """Else the file would stay locked until the loop's next turn, whatever that one brings."""
        group, self._group = self._group, None
        assert group is not None
        outcome = None
        try:
            self._raw.execute("COMMIT")
        except sqlite3.Error as error:
            outcome = error
        self._conclude(group, outcome)

    def _conclude(self, group: Group, outcome: Exception | None) -> None:
        if outcome is None:
            self._pages += PAGES_PER_GROUP + len(group.outcomes)
        else:
            self._roll_back()
        group.tell(outcome)

    async def _execute_commit(self, statement: str) -> None:
        if self._durable:  # it waits for the disk
            await in_thread(self._threads, partial(self._raw.execute, statement))
        else:
            self._raw.execute(statement)

    async def _checkpoint(self) -> None:
        """Put what was committed in its place. SQLite would do it in a COMMIT, on the loop."""
        if self._pages < CHECKPOINT_AFTER:
            return
        self._pages = 0
        try:
            await in_thread(
                self._threads,
                lambda: self._raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall(),
            )
        except sqlite3.Error as error:
            log.warning("a checkpoint failed, and will be tried again: %s", error)
