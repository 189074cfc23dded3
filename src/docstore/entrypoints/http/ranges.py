"""Which bytes a client asks for: Range (RFC 9110 14), and the conditions on it."""

import re
from dataclasses import dataclass
from typing import Final

from docstore.entrypoints.http.refusals import RangeNotSatisfiable

# Twenty digits hold every size there is; a longer number is no range that anybody means.
_RANGE: Final = re.compile(r"bytes[ \t]*=[ \t]*([0-9]{0,20})-([0-9]{0,20})[ \t]*", re.IGNORECASE)
_TAG: Final = re.compile(r'[ \t]*(?:W/)?("[^"]*")[ \t]*')


@dataclass(frozen=True, slots=True)
class Span:
    """Some bytes of a representation, at least one."""

    start: int
    length: int
    size: int  # bytes of the whole

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def requested(value: str | None, size: int) -> Span | None:
    """The bytes that a Range asks for; None for the whole.

    What is malformed, of another unit or of several ranges asks for the whole, as RFC 9110 14.2
    allows. Raises RangeNotSatisfiable when no byte is in it.
    """
    match = _RANGE.fullmatch(value) if value else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return _suffix(int(last), size)
    if last and int(last) < int(first):
        return None
    start = int(first)
    if start >= size:
        raise RangeNotSatisfiable(size)
    end = min(int(last), size - 1) if last else size - 1
    return Span(start, end - start + 1, size)


def _suffix(wanted: int, size: int) -> Span:
    if wanted == 0 or size == 0:
        raise RangeNotSatisfiable(size)
    length = min(wanted, size)
    return Span(size - length, length, size)


def holds(if_range: str | None, etag: str) -> bool:
    """Whether a Range counts: If-Range is absent, or is this very (strong) tag."""
    return if_range is None or if_range.strip() == etag


def known(if_none_match: str, etag: str) -> bool:
    """Whether the client has this representation: If-None-Match names its tag, or any."""
    if if_none_match.strip() == "*":
        return True
    position = 0
    while match := _TAG.match(if_none_match, position):
        if match[1] == etag:
            return True
        position = match.end() + 1  # past the comma
    return False
