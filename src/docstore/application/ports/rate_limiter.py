from typing import Protocol

from docstore.domain.rates import Decision, Rate


class RateLimiter(Protocol):
    """Counts what is done, by bucket, over all processes that share the limiter.

    It reads a clock that nobody sets, and forgets a bucket when its window has passed. Any method
    may raise Unavailable.
    """

    async def take(self, bucket: str, *, cost: int, rate: Rate) -> Decision:
        """Take `cost` out of the bucket, unless more than `rate` allows would be gone: a refusal
        takes nothing. A cost of 0 only looks whether 1 might be taken.

        Of those who ask at once no more are allowed than of those who ask in turn.
        """
        ...

    async def give_back(self, bucket: str, *, cost: int, rate: Rate) -> None:
        """Undo the newest `cost` that was taken."""
        ...
