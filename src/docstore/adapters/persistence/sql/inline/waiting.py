"""How the event loop waits for SQLite, where it must."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from threading import Event
from typing import Final, TypeVar

from sqlalchemy.exc import OperationalError

from docstore.adapters.persistence.sql import sqlite
from docstore.adapters.persistence.sql.errors import driver_error
from docstore.adapters.persistence.sql.sqlite_codes import primary_code
from docstore.domain.errors import Unavailable

GLANCES: Final = 200  # at another's lock, a turn of the loop apart; a nap is longer than most locks
PAUSE: Final = 0.001  # seconds between later looks; the loop's timers know nothing shorter

T = TypeVar("T")


async def unlocked(call: Callable[[], T], *, within: float | None = None) -> T:
    """What `call` returns, as soon as no lock of another process is in its way.

    It waits for `within` at most (seconds; None: `sqlite.WAIT`). SQLite would wait the same way, by
    looking again, but on the event loop.
    """
    try:
        return call()
    except (sqlite3.OperationalError, OperationalError) as error:
        _check_locked(error)
    loop = asyncio.get_running_loop()
    until = loop.time() + (sqlite.WAIT if within is None else within)
    for look in count():
        await asyncio.sleep(0 if look < GLANCES else PAUSE)
        try:
            return call()
        except (sqlite3.OperationalError, OperationalError) as error:
            _check_locked(error)
            if loop.time() > until:
                raise
    raise AssertionError("there is no last look")


def _check_locked(error: sqlite3.OperationalError | OperationalError) -> None:
    """Raises what is wrong with another thing than a lock."""
    if primary_code(driver_error(error)) != sqlite3.SQLITE_BUSY:
        raise error


def started(threads: int, name: str) -> ThreadPoolExecutor:
    """A pool whose threads all run. One that starts them as it needs them keeps a call for which no
    thread would start, says that it failed, and runs it later: a COMMIT, in the next transaction.

    Unavailable when the system has no room for so many.
    """
    pool, all_run = ThreadPoolExecutor(threads, thread_name_prefix=name), Event()
    try:
        for _ in range(threads):
            pool.submit(all_run.wait)
    except RuntimeError as error:
        raise Unavailable(f"no threads for the database: {error}") from error
    finally:
        all_run.set()
    return pool


async def in_thread(threads: Executor, call: Callable[[], T]) -> T:
    """What `call` returns. A cancellation waits for its end: until then the connection is in use,
    and not even a rollback may touch it.
    """
    running = asyncio.get_running_loop().run_in_executor(threads, call)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        raise
