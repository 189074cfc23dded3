"""From Dramatiq's threads to the event loop, where attempts run."""

import asyncio
from concurrent.futures import Future
from typing import Final

from docstore.adapters.queue.handling import Handle, handle_safely
from docstore.domain.ids import JobId

INSIST: Final = 1.0  # seconds after which a handler that goes on is cancelled once more


class Bridge:
    """Made, and closed, on the event loop that handles the hints."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._running: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def cross(self, job_id: JobId) -> bool:
        """Called by a thread, which waits until the hint is handled. False: it was not, nor will
        be, since the worker is stopping. Never raises.
        """
        handled: Future[bool] = Future()
        self._loop.call_soon_threadsafe(self._begin, job_id, handled)
        return handled.result()

    async def close(self) -> None:
        """Cancel what runs, and wait for its end."""
        self._is_closed = True
        while self._running:
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running, timeout=INSIST)

    def _begin(self, job_id: JobId, handled: Future[bool]) -> None:
        if self._is_closed:
            handled.set_result(False)
            return
        task = asyncio.create_task(handle_safely(self._handle, job_id))
        self._running.add(task)
        task.add_done_callback(lambda done: self._end(done, handled))

    def _end(self, task: asyncio.Task[None], handled: Future[bool]) -> None:
        self._running.discard(task)
        handled.set_result(True)
