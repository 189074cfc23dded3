"""Several ranges in one answer: multipart/byteranges (RFC 9110 14.6)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from docstore.entrypoints.http.ranges import Span


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a file, and what is sent before them."""

    preface: bytes
    span: Span


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent: the parts in their order, then the close."""

    parts: Sequence[Part]
    close: bytes = b""
    boundary: str = ""  # empty when nothing stands around the bytes

    @property
    def length(self) -> int:
        """Bytes of all of it."""
        parts = sum(len(part.preface) + part.span.length for part in self.parts)
        return parts + len(self.close)

    @classmethod
    def plain(cls, span: Span) -> Self:
        return cls([Part(b"", span)])

    @classmethod
    def multipart(cls, spans: Sequence[Span], media_type: str) -> Self:
        """Each part tells its own type and place; nobody can foresee the boundary and put it into
        a file.
        """
        boundary = secrets.token_hex(16)
        parts = [
            Part(
                f"\r\n--{boundary}\r\nContent-Type: {media_type}\r\n"
                f"Content-Range: {span.content_range}\r\n\r\n".encode(),
                span,
            )
            for span in spans
        ]
        return cls(parts, f"\r\n--{boundary}--\r\n".encode(), boundary)
