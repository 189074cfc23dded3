"""One transaction for migrations, which only one process has at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, TypeVar

from sqlalchemy import URL, Connection, text

from docstore.adapters.persistence.sql.postgresql import engine
from docstore.adapters.persistence.sql.postgresql.answers import answering

T = TypeVar("T")

TURN: Final = 600  # seconds that replicas wait for the one that migrates
LOCKS: Final = 10  # seconds that a migration waits for those who use a table
_LOCK: Final = 0x646F6373746F7265  # "docstore", as a number of eight bytes


def within(url: URL, work: Callable[[Connection], T], *, alone: bool, stop: Future[None]) -> T:
    """What `work` returns. To be called in a thread: the driver gets an event loop of its own.

    When `stop` is done, in whichever thread, all is rolled back and CancelledError raised.
    """

    async def until_stopped() -> T:
        _cancel_after(stop)
        return await _within(url, work, alone)

    return asyncio.run(until_stopped())


def _cancel_after(stop: Future[None]) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def cancel(_: Future[None]) -> None:
        with suppress(RuntimeError):  # it has ended already, and its loop with it
            loop.call_soon_threadsafe(task.cancel)

    stop.add_done_callback(cancel)


async def _within(url: URL, work: Callable[[Connection], T], alone: bool) -> T:
    made = engine.single(url, engine.options())
    try:
        with answering():
            async with made.begin() as db:
                if alone:
                    await db.execute(text(f"SET LOCAL lock_timeout = '{TURN}s'"))
                    await db.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                await db.execute(text(f"SET LOCAL lock_timeout = '{LOCKS}s'"))
                return await db.run_sync(work)
    finally:
        await made.dispose()
