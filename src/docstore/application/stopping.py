import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel them until they have ended, however that is. Once may not do: an error on the way
    out, such as of a rollback, takes the place of the cancellation and may be handled.
    """
    while alive := [task for task in tasks if not task.done()]:
        for task in alive:
            task.cancel()
        await asyncio.wait(alive, timeout=1)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # asked for, or asyncio would log it as never retrieved


async def insist(work: Coroutine[Any, Any, None]) -> None:
    """Do `work` to its end, however often the task that does so is cancelled meanwhile: whoever
    has cancelled it asks again until it has ended. To be called by one that is going to end.
    """
    task = asyncio.create_task(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})
    await task
