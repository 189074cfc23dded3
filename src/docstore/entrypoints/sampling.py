"""Keeps a log small while the same thing happens a million times."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

BURST: Final = 50  # lines of one kind that are logged within a window
WINDOW: Final = 60.0  # seconds
MOST_KINDS: Final = 1000  # that are counted at once; the one seen longest ago is forgotten

UNSAMPLED: Final = "unsampled"
"""An `extra` that is true for a record of which each one counts, such as a sign-in."""


@dataclass(slots=True)
class _Count:
    began: float  # seconds, when the window did
    let_through: int = 0
    held_back: int = 0


class Sampled(logging.Filter):
    """Lets so many records of a kind through in each window; the first of the next window tells,
    as `suppressed`, how many were left out.

    Records are of one kind when they come from the same line of code with the same `code`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._counts: OrderedDict[tuple[object, ...], _Count] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, UNSAMPLED, False):
            return True
        count = self._count(_kind(record))
        if count.let_through >= BURST:
            count.held_back += 1
            return False
        if count.held_back:
            record.suppressed = count.held_back
            count.held_back = 0
        count.let_through += 1
        return True

    def _count(self, kind: tuple[object, ...]) -> _Count:
        now = self._clock()
        count = self._counts.pop(kind, None) or _Count(now)
        if now - count.began >= WINDOW:
            count = _Count(now, held_back=count.held_back)
        self._counts[kind] = count
        if len(self._counts) > MOST_KINDS:
            self._counts.popitem(last=False)
        return count


def _kind(record: logging.LogRecord) -> tuple[object, ...]:
    return (record.pathname, record.lineno, getattr(record, "code", None))
