"""Limits that hold for all processes of one machine: a SQLite file between them.

It is not worth a single fsync: after a power loss everybody begins anew. Nor is it a reason to let
nobody in: while the disk is full each process keeps limits of its own.
"""

import asyncio
import errno
import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar
from urllib.parse import unquote, urlsplit

from docstore.adapters.rate_limits.memory import MemoryRateLimiter
from docstore.domain.errors import OutOfSpace, Unavailable
from docstore.domain.rates import Decision, Rate, Taken, counting, decide, with_less, with_more

WAIT: Final = 5.0  # seconds for another process's lock
TIDY_EVERY: Final = 1000  # changes between two removals of what counts no more
MOST_BUCKETS: Final = 100_000  # that outlive a removal
_SCHEMA: Final = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS buckets (
        bucket TEXT PRIMARY KEY, taken TEXT NOT NULL, since REAL NOT NULL, until REAL NOT NULL
    ) WITHOUT ROWID;
"""
_READ: Final = "SELECT taken FROM buckets WHERE bucket = ?"
_KEEP: Final = "INSERT OR REPLACE INTO buckets VALUES (?, ?, ?, ?)"
_TIDY: Final = "DELETE FROM buckets WHERE until <= ?1 OR since > ?1"
_MAKE_ROOM: Final = """
    DELETE FROM buckets WHERE bucket IN
        (SELECT bucket FROM buckets ORDER BY until DESC LIMIT -1 OFFSET ?)
"""
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT}

T = TypeVar("T")


class SqliteRateLimiter:
    """`now` is a clock in seconds that all processes of the machine share and nobody sets. It may
    begin anew with the machine: what lies ahead of it is forgotten."""

    def __init__(self, path: Path, now: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._now = now
        self._db: sqlite3.Connection | None = None  # opened by the first who needs it
        self._changes = 0
        self._alone = MemoryRateLimiter(now)  # while nothing can be written
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rate-limits")

    async def take(self, bucket: str, *, cost: int, rate: Rate) -> Decision:
        def change(taken: Sequence[Taken], now: float) -> tuple[Sequence[Taken] | None, Decision]:
            decision = decide(taken, rate, cost=cost, now=now)
            if not decision.allowed or not cost:
                return None, decision
            return with_more(taken, rate, cost=cost, now=now), decision

        try:
            return await self._apart(lambda: self._change(bucket, rate, change))
        except OutOfSpace:
            return await self._alone.take(bucket, cost=cost, rate=rate)

    async def give_back(self, bucket: str, *, cost: int, rate: Rate) -> None:
        def change(taken: Sequence[Taken], now: float) -> tuple[Sequence[Taken], None]:
            return with_less(taken, cost=cost), None

        try:
            await self._apart(lambda: self._change(bucket, rate, change))
        except OutOfSpace:
            await self._alone.give_back(bucket, cost=cost, rate=rate)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self._apart(self._close)
        self._thread.shutdown()

    async def _apart(self, step: Callable[[], T]) -> T:
        """One step after the other, in the thread that has the connection."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, step)
        except (sqlite3.Error, OSError) as error:
            if _is_full(error):
                raise OutOfSpace(f"the disk of {self._path} is full") from error
            raise Unavailable(f"the rate limits in {self._path}: {error}") from error

    def _change(
        self,
        bucket: str,
        rate: Rate,
        change: Callable[[Sequence[Taken], float], tuple[Sequence[Taken] | None, T]],
    ) -> T:
        db = self._open()
        with db:  # commits, or rolls back
            db.execute("BEGIN IMMEDIATE")
            now = self._now()
            row = db.execute(_READ, (bucket,)).fetchone()
            found = [Taken(at, count) for at, count in json.loads(row[0])] if row else []
            kept, result = change(counting(found, rate, now), now)
            if kept is not None:
                told = json.dumps([(each.at, each.count) for each in kept])
                db.execute(_KEEP, (bucket, told, now, now + rate.window))
                self._tidy(db, now)
        return result

    def _tidy(self, db: sqlite3.Connection, now: float) -> None:
        if self._changes % TIDY_EVERY == 0:
            db.execute(_TIDY, (now,))
            db.execute(_MAKE_ROOM, (MOST_BUCKETS,))
        self._changes += 1

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            db = sqlite3.connect(self._path, timeout=WAIT, isolation_level=None)
            try:
                db.executescript(_SCHEMA)
            except BaseException:
                db.close()
                raise
            self._db = db
        return self._db

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def _is_full(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) in _NO_ROOM


def connect(url: str, *, durable: bool = True) -> SqliteRateLimiter:
    """`sqlite:///absolute/path`; the file is made when it is not there. Nothing is ever durable."""
    return SqliteRateLimiter(Path(unquote(urlsplit(url).path)))
