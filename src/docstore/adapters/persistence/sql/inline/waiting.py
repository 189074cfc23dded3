"""How the event loop waits for SQLite, where it must."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Final, TypeVar

from sqlalchemy.exc import OperationalError

from docstore.adapters.persistence.sql import sqlite
from docstore.adapters.persistence.sql.errors import driver_error, primary_code

FIRST_PAUSE: Final = 0.0005  # seconds between looks at another process's lock; then longer ones
LAST_PAUSE: Final = 0.02

T = TypeVar("T")


async def unlocked(call: Callable[[], T]) -> T:
    """What `call` returns, as soon as no lock of another process is in its way.

    It waits for `sqlite.WAIT` at most. SQLite would wait the same way, by looking again, but on
    the event loop.
    """
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + sqlite.WAIT, FIRST_PAUSE
    while True:
        try:
            return call()
        except (sqlite3.OperationalError, OperationalError) as error:
            is_locked = primary_code(driver_error(error)) == sqlite3.SQLITE_BUSY
            if not is_locked or loop.time() > until:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, LAST_PAUSE)


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
