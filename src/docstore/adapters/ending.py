"""Waiting for the end of what was started, however often who waits is cancelled meanwhile."""

import asyncio
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


async def finished(future: asyncio.Future[T]) -> T:
    """What a started step gives; a cancellation is raised only once it has ended."""
    cancelled = await ended(future)
    if cancelled is not None:
        future.exception()  # seen; the cancellation tells more
        raise cancelled
    return future.result()


async def ended(future: asyncio.Future[Any]) -> asyncio.CancelledError | None:
    """Wait until it is done, however that is; the last cancellation that came meanwhile, which is
    for the caller to raise.
    """
    cancelled = None
    with anyio.CancelScope(shield=True):  # holds anyio's cancellations off, not asyncio's
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError as error:
                cancelled = error
    return cancelled
