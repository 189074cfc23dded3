"""Which bytes a client asks for: Range (RFC 9110 14), and the conditions on it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from docstore.entrypoints.http.refusals import RangeNotSatisfiable

MOST: Final = 16  # ranges that are served; who asks for more gets the whole
MAX_VALUE: Final = 1024  # characters of a Range: MOST ranges of huge files fit

_UNIT: Final = re.compile(r"bytes[ \t]*=", re.IGNORECASE)
# Twenty digits hold every size there is; a longer number is no range that anybody means.
_RANGE: Final = re.compile(r"[ \t]*([0-9]{0,20})-([0-9]{0,20})[ \t]*")
_TAG: Final = re.compile(r'[ \t]*(W/)?("[^"]*")[ \t]*')


@dataclass(frozen=True, slots=True)
class Span:
    """Some bytes of a representation, at least one."""

    start: int
    length: int
    size: int  # bytes of the whole

    @property
    def end(self) -> int:
        """The place after the last byte."""
        return self.start + self.length

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


def requested(value: str | None, size: int) -> Sequence[Span]:
    """The bytes that a Range asks for, in its order; none for the whole.

    What is malformed, of another unit or of more than MOST ranges asks for the whole, and so do
    ranges that overlap each other, as RFC 9110 14.2 allows. Ranges without a byte are left out;
    raises RangeNotSatisfiable when none is left.
    """
    places = _places(value) if value else []
    if not places:
        return ()
    spans = [span for span in (_span(*place, size) for place in places) if span is not None]
    if not spans:
        raise RangeNotSatisfiable(size)
    return () if _overlap(spans) else spans


def _places(value: str) -> Sequence[tuple[str, str]]:
    """First and last place of each range as they are written; none when the value is no Range."""
    unit = _UNIT.match(value) if len(value) <= MAX_VALUE else None
    if unit is None:
        return ()
    texts = [text for text in value[unit.end() :].split(",") if text.strip(" \t")]
    matches = [_RANGE.fullmatch(text) for text in texts]
    if not 1 <= len(matches) <= MOST:
        return ()
    places = [(match[1], match[2]) for match in matches if match and _means(match[1], match[2])]
    return places if len(places) == len(matches) else ()


def _means(first: str, last: str) -> bool:
    return bool(first or last) and not (first and last and int(last) < int(first))


def _span(first: str, last: str, size: int) -> Span | None:
    """The bytes of one range that there are."""
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    return Span(start, end - start, size) if start < end else None


def _overlap(spans: Iterable[Span]) -> bool:
    """Then an answer could be longer than the file: a way to make a server work for little."""
    placed = sorted(spans, key=lambda span: span.start)
    return any(after.start < before.end for before, after in pairwise(placed))


def holds(if_range: str | None, etag: str) -> bool:
    """Whether a Range counts: If-Range is absent, or is this very (strong) tag."""
    return if_range is None or if_range.strip() == etag


def known(if_none_match: str, etag: str) -> bool:
    """Whether the client has this representation: If-None-Match names its tag, or any."""
    return _names(if_none_match, etag, weakly=True)


def expected(if_match: str, etag: str) -> bool:
    """Whether this is the representation that the client means: If-Match names its tag, or any."""
    return _names(if_match, etag, weakly=False)


def _names(value: str, etag: str, *, weakly: bool) -> bool:
    if value.strip() == "*":
        return True
    position = 0
    while match := _TAG.match(value, position):
        if match[2] == etag and (weakly or not match[1]):
            return True
        position = match.end() + 1  # past the comma
    return False
