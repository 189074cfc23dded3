"""How a consumer leaves: not before all that it has started has ended."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import anyio


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Do `work` to its end; a cancellation that comes meanwhile is raised only then."""
    task = asyncio.create_task(work)
    cancelled = None
    with anyio.CancelScope(shield=True):  # holds anyio's cancellations off, not asyncio's
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        task.exception()  # seen; the cancellation tells more
        raise cancelled
    task.result()
