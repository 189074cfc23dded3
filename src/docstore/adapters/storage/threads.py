"""Where the blocking steps of a store run: of files, or of an SDK that knows no event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from docstore.adapters.ending import ended, finished
from docstore.domain.errors import DocstoreError

T = TypeVar("T")
Step = Callable[[], T]


class Threads:
    """A few threads of the store's own: a slow one takes none of those that others wait for.

    A step holds a thread only while it works, never while it waits for a client.
    """

    def __init__(self, limit: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix=name)
        self._apart: set[asyncio.Future[Any]] = set()

    async def run(self, step: Step[T]) -> T:
        """Run `step` to its end, whatever happens: a cancellation is raised only after it, so
        that the caller may undo what it did.
        """
        return await finished(self.start(step))

    async def commit(self, step: Step[T]) -> T:
        """As `run`, but once `step` has succeeded it is too late for a cancellation: that is
        raised where the task waits next.
        """
        future = self.start(step)
        cancelled = await ended(future)
        if cancelled is not None:
            if future.exception() is not None:
                raise cancelled
            _cancel_later()
        return future.result()

    async def probe(self, step: Step[T], *, seconds: float) -> T:
        """Run a `step` that needs no undoing; TimeoutError when it takes longer."""
        async with asyncio.timeout(seconds):
            return await self.start(step)

    def start_apart(self, step: Step[None]) -> None:
        """Start a `step` that nobody waits for but `settle`; it must not fail."""
        future = self.start(step)
        self._apart.add(future)
        future.add_done_callback(self._apart.discard)

    async def settle(self) -> None:
        """Wait for what was started apart."""
        for future in [*self._apart]:
            await finished(future)

    def start(self, step: Step[T]) -> asyncio.Future[T]:
        """`step` on its way. Who starts one sees to it that it ends, as `finished` does."""
        return asyncio.get_running_loop().run_in_executor(self._pool, step)


class Behind:
    """Steps that run behind their caller's back, one at a time and in order, so that he can fetch
    what the next one needs. On leaving, none runs any more.
    """

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._last: asyncio.Future[Any] | None = None

    async def start(self, step: Step[Any]) -> None:
        """Start `step` once the one before has ended; raises what that one raised."""
        await self._settle()
        self._last = self._threads.start(step)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            await self._settle()
            return
        with suppress(DocstoreError):  # what ended the caller tells more
            await self._settle()

    async def _settle(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            await finished(last)


def _cancel_later() -> None:
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()  # the request that was held up is counted already
        task.cancel()
