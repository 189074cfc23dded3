import asyncio
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
