"""Files on their way to a docstore, each hashed as it goes and compared with what arrived."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

from docstore.entrypoints.client.bodies import body_of
from docstore.entrypoints.client.errors import Changed
from docstore.entrypoints.client.retrying import PATIENT
from docstore.entrypoints.client.session import Json, Session, object_in

PIECE: Final = 512 * 1024  # bytes read at once

Sent = Callable[[int], None]
"""Told after each piece how many bytes have gone in this try."""


class Source(Protocol):
    """What is uploaded. It may be read more than once."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int:
        """Bytes."""
        ...

    def pieces(self) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class PathSource:
    """A file on this machine."""

    path: Path
    name: str
    size: int

    async def pieces(self) -> AsyncIterator[bytes]:
        file = await asyncio.to_thread(self.path.open, "rb")
        try:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece
        finally:
            file.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is said of every file."""

    title: str | None = None
    description: str | None = None
    tags: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


async def upload(
    session: Session, source: Source, details: Details, sent: Sent, *, tries: int = PATIENT
) -> Json:
    """The file as it was taken. It is stored once, however often it has to be sent.

    Raises Changed, Refused, Unreachable or OSError; but for Changed of what arrived, nothing is
    stored then.
    """
    digest = sha256()
    sending = body_of(details, source.name)

    async def content() -> AsyncIterator[bytes]:
        nonlocal digest
        digest, gone = sha256(), 0
        yield sending.head
        async for piece in source.pieces():
            gone += len(piece)
            if gone > source.size:
                raise Changed("it has grown while it was read")
            digest.update(piece)
            yield piece
            sent(gone)
        if gone < source.size:
            raise Changed("it has shrunk while it was read")
        yield sending.tail

    headers = {
        **sending.headers,
        "Content-Length": str(len(sending.head) + source.size + len(sending.tail)),
        "Idempotency-Key": secrets.token_urlsafe(24),
    }
    answer = await session.send(
        "POST", "/files", headers=headers, body=content, is_repeatable=True, tries=tries
    )
    view = object_in(answer)
    if view.get("sha256") != digest.hexdigest():
        raise Changed(f"{view.get('id')} was stored with other bytes than were read; delete it")
    return view
