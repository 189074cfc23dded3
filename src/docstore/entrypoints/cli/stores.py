"""An open docstore for a command that does one thing and ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from docstore.application.docstore import Docstore
from docstore.entrypoints.cli.failures import Exit, Failure
from docstore.settings import Settings

T = TypeVar("T")


def with_store(settings: Settings, act: Callable[[Docstore], Awaitable[T]]) -> T:
    """What `act` makes of the store, which is migrated first, as `serve` does."""

    async def run() -> T:
        async with _opened(settings) as docstore:
            return await act(docstore)

    return asyncio.run(run())


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Docstore]:
    from docstore import container  # every adapter: not for those who ask for help alone

    holder = container.Container(settings=settings)
    await container.migrate(holder)
    async with container.running(holder, worker=False) as docstore:
        yield docstore


def must_outlive_a_process(settings: Settings) -> None:
    """Refuse a store in memory where several processes, or the next command, need to see it."""
    for name in ("database", "storage"):
        if getattr(settings, name).startswith("memory:"):
            message = f"DOCSTORE_{name.upper()}_URL: memory:// is seen by one process alone"
            raise Failure(message, Exit.WRONG_USE)
