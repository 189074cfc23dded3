import asyncio
from collections import deque

from docstore.domain.errors import Unavailable


class Turns:
    """Lets so many in at once, in the order they came.

    A turn that is given up goes straight to who has waited longest, so nobody can jump the queue.
    """

    def __init__(self, turns: int) -> None:
        self._free = turns
        self._queue: deque[asyncio.Future[None]] = deque()

    async def take(self, seconds: float | None) -> None:
        """Unavailable when it takes longer than `seconds`; None: than those before need."""
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        self._queue.append(mine)
        timer = None if seconds is None else loop.call_later(seconds, _give_up, mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                self.give()  # it had come, and was not noticed any more
            raise
        finally:
            if timer is not None:
                timer.cancel()

    @property
    def is_waited_for(self) -> bool:
        return any(not each.done() for each in self._queue)

    def give(self) -> None:
        while self._queue:
            first = self._queue.popleft()
            if not first.done():
                first.set_result(None)
                return
        self._free += 1


def _give_up(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_exception(
            Unavailable("the database is busy: no connection became free in time")
        )
