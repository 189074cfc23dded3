"""Limits that hold within one process."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from docstore.domain.rates import Decision, Rate, Taken, counting, decide, with_less, with_more

MOST_BUCKETS: Final = 10_000
"""The one that was used least recently makes room. Who could fill them all is limited himself."""


@dataclass(slots=True)
class _Bucket:
    taken: Sequence[Taken]
    until: float  # nothing of it counts after that


class MemoryRateLimiter:
    """`now` is a clock in seconds that never goes back, whatever is done to the time of day."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    async def take(self, bucket: str, *, cost: int, rate: Rate) -> Decision:
        now = self._now()
        taken = self._counting(bucket, rate, now)
        decision = decide(taken, rate, cost=cost, now=now)
        if decision.allowed and cost:
            self._keep(bucket, with_more(taken, rate, cost=cost, now=now), now + rate.window)
            self._make_room(now)
        return decision

    async def give_back(self, bucket: str, *, cost: int, rate: Rate) -> None:
        now = self._now()
        taken = with_less(self._counting(bucket, rate, now), cost=cost)
        if taken:
            self._keep(bucket, taken, taken[-1].at + rate.window)
        else:
            self._buckets.pop(bucket, None)

    def __len__(self) -> int:
        """How many buckets are remembered."""
        return len(self._buckets)

    def _counting(self, bucket: str, rate: Rate, now: float) -> Sequence[Taken]:
        known = self._buckets.get(bucket)
        return counting(known.taken, rate, now) if known else ()

    def _keep(self, bucket: str, taken: Sequence[Taken], until: float) -> None:
        self._buckets[bucket] = _Bucket(taken, until)
        self._buckets.move_to_end(bucket)

    def _make_room(self, now: float) -> None:
        while self._buckets:
            oldest = next(iter(self._buckets))
            if len(self._buckets) <= MOST_BUCKETS and self._buckets[oldest].until > now:
                return
            del self._buckets[oldest]


def connect(url: str, *, durable: bool = True) -> MemoryRateLimiter:
    """Empty at each start, whatever the URL and `durable` say."""
    return MemoryRateLimiter()
