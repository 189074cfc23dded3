"""What is read and then changed, once more when somebody else was faster."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from docstore.domain.errors import StaleVersion, Unavailable

TRIES: Final = 10  # while others change the same rows; more is no accident

T = TypeVar("T")


async def again_when_stale(attempt: Callable[[], Awaitable[T]], subject: str) -> T:
    """What `attempt` returns, each time with a transaction of its own, until none of its rows was
    changed meanwhile. Unavailable when they always are.
    """
    for _ in range(TRIES):
        try:
            return await attempt()
        except StaleVersion:
            continue
    raise Unavailable(f"{subject} is changed again and again")
