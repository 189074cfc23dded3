"""Files on their way to a docstore, each hashed as it goes and compared with what arrived."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

from docstore.entrypoints.client.errors import Changed
from docstore.entrypoints.client.session import Json, Session

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

    def query(self) -> list[tuple[str, str]]:
        texts = (("title", self.title), ("description", self.description))
        given = [(name, text) for name, text in texts if text is not None]
        return [*given, *(("tags", tag) for tag in self.tags)]


async def upload(session: Session, source: Source, details: Details, sent: Sent) -> Json:
    """The file as it was taken. It is stored once, however often it has to be sent.

    Raises Changed, Refused, Unreachable or OSError.
    """
    digest = sha256()

    async def body() -> AsyncIterator[bytes]:
        nonlocal digest
        digest, gone = sha256(), 0
        async for piece in source.pieces():
            digest.update(piece)
            yield piece
            gone += len(piece)
            sent(gone)

    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(source.size),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(source.name, safe='')}",
        "Idempotency-Key": secrets.token_urlsafe(24),
    }
    answer = await session.send(
        "POST", "/files", params=details.query(), headers=headers, body=body, is_repeatable=True
    )
    view: Json = answer.json()
    if view["sha256"] != digest.hexdigest():
        raise Changed(f"{view['id']} was stored with other bytes than were read; delete it")
    if details.metadata:
        # A raw body has no room for it.
        change = {"metadata": dict(details.metadata)}
        view = await session.ask("PATCH", f"/files/{view['id']}", json=change, is_repeatable=True)
    return view
