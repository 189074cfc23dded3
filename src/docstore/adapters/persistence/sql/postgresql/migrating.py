"""One transaction for migrations, which only one process has at a time."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import URL, Connection, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

T = TypeVar("T")

_LOCK: Final = 0x646F6373746F7265  # "docstore", as a number of eight bytes


def within(url: URL, work: Callable[[Connection], T]) -> T:
    """What `work` returns. To be called in a thread: the driver gets an event loop of its own."""
    return asyncio.run(_within(url, work))


async def _within(url: URL, work: Callable[[Connection], T]) -> T:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as db:
            await db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            return await db.run_sync(work)
    finally:
        await engine.dispose()
