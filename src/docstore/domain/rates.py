"""How often something may be done: never more than so much in any stretch of time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Self

SLOTS: Final = 60  # of a window; what is taken within one slot is remembered as one
PERIODS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_TICK: Final = 1e-6  # seconds: what a sum of seconds may be off
_RATE: Final = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour|day)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` within any `window`, wherever that begins."""

    limit: int
    window: float  # seconds

    @classmethod
    def parse(cls, written: str) -> Self:
        """Such as `1000/minute`; ValueError for what is no rate."""
        match = _RATE.fullmatch(written.strip().lower())
        if match is None:
            raise ValueError("takes a rate such as 10/minute: per second, minute, hour or day")
        return cls(int(match[1]), PERIODS[match[2]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether something may be done now."""

    allowed: bool
    remaining: int  # what may be taken still
    wait: timedelta  # until more remains; of a refusal, until the same would be allowed


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken within one slot. It counts as if it were all taken when the last of it was,
    so that a limit is never exceeded, and reached a sixtieth of a window too early at worst."""

    at: float  # seconds on the clock of the limiter
    count: int


def counting(taken: Sequence[Taken], rate: Rate, now: float) -> Sequence[Taken]:
    """Of `taken`, oldest first, what counts still. What lies ahead of a clock that went back is
    forgotten: nobody is to wait for that hour to come again."""
    return [each for each in taken if each.at <= now and now - each.at < rate.window - _TICK]


def decide(taken: Sequence[Taken], rate: Rate, *, cost: int, now: float) -> Decision:
    """Whether `cost` may be taken on top of what counts. A cost of 0 asks whether 1 may."""
    left = max(0, rate.limit - _sum(taken))
    if left < max(cost, 1):
        wait = _until(taken, rate, max(cost, 1), now)
        return Decision(allowed=False, remaining=left, wait=wait)
    after = with_more(taken, rate, cost=cost, now=now)
    wait = _until(after, rate, min(left - cost + 1, rate.limit), now)
    return Decision(allowed=True, remaining=left - cost, wait=wait)


def _until(taken: Sequence[Taken], rate: Rate, wanted: int, now: float) -> timedelta:
    """Until `wanted` remains, if nobody takes more; at most a window."""
    left = rate.limit - _sum(taken)
    wait = 0.0
    for each in taken:
        if left >= wanted:
            break
        left += each.count
        wait = each.at + rate.window - now
    return timedelta(seconds=wait if left >= wanted else rate.window)


def _sum(taken: Sequence[Taken]) -> int:
    return sum(each.count for each in taken)


def with_more(taken: Sequence[Taken], rate: Rate, *, cost: int, now: float) -> Sequence[Taken]:
    """`taken` and `cost` more."""
    if not cost:
        return taken
    if taken and slot_of(taken[-1].at, rate) == slot_of(now, rate):
        return [*taken[:-1], Taken(now, taken[-1].count + cost)]
    return [*taken, Taken(now, cost)]


def with_less(taken: Sequence[Taken], *, cost: int) -> Sequence[Taken]:
    """`taken` without the newest `cost` of it, which was taken for nothing."""
    kept = list(taken)
    while kept and cost > 0:
        last = kept.pop()
        if last.count > cost:
            kept.append(replace(last, count=last.count - cost))
        cost -= last.count
    return kept


def slot_of(at: float, rate: Rate) -> int:
    return int(at * SLOTS // rate.window)
