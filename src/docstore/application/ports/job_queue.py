from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from docstore.domain.ids import JobId


class JobQueue(Protocol):
    """Carries hints that a job is due. Delays, retries and state live in the job's row, so a hint
    may be lost, doubled, late or out of order.
    """

    async def send(self, job_id: JobId) -> None:
        """Hand the hint over; may wait while the queue is full. Raises Unavailable when it was
        not taken.
        """
        ...

    def consume(
        self, handle: Callable[[JobId], Awaitable[None]], *, slots: int
    ) -> AbstractAsyncContextManager[None]:
        """While inside, call `handle` for each hint, at most `slots` at once.

        `handle` does not raise for what is the job's business; what it raises all the same is
        logged and costs neither the hint's slot nor the others. On leaving, running calls are
        cancelled and awaited.
        """
        ...
