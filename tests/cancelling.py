"""Cancels a coroutine wherever it can be cancelled."""

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from itertools import count
from typing import Any


async def cancelled_at_each_wait(work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run `work` cancelled at its first wait, at its second, and so on, until it has no more."""

    async def cancelled() -> None:
        await _cancelled_at(wait, work())

    for wait in count(1):
        ended = await asyncio.gather(cancelled(), return_exceptions=True)
        if ended[0] is None:
            return wait
    raise AssertionError


@types.coroutine
def _cancelled_at(wait: int, work: Coroutine[Any, Any, None]) -> Generator[Any, None, None]:
    thrown: BaseException | None = None
    for waits in count(1):
        try:
            future = work.send(None) if thrown is None else work.throw(thrown)
        except StopIteration:
            return
        task = asyncio.current_task()
        if waits == wait and task is not None:
            task.cancel()
        try:
            yield future
            thrown = None
        except BaseException as error:
            thrown = error
