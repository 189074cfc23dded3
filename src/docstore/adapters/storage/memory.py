from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from docstore.application.ports.blob_store import BlobInfo
from docstore.domain.errors import NotFound

PIECE: Final = 256 * 1024  # bytes


def connect(url: str, *, durable: bool = True) -> "MemoryBlobStore":
    """A new store for each call, whatever the URL says; nothing in it is ever durable."""
    return MemoryBlobStore()


@dataclass(frozen=True, slots=True)
class _Blob:
    data: bytes
    stored_at: datetime


class MemoryBlobStore:
    """Blobs in a dict: for tests, simulations and for trying docstore out. Gone at exit.

    Starts no thread and no timer, and waits for nothing but the body of a `put`.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._blobs: dict[str, _Blob] = {}

    async def put(self, key: str, body: AsyncIterable[bytes]) -> None:
        data = b"".join([chunk async for chunk in body])
        self._blobs[key] = _Blob(data, self._now())

    @asynccontextmanager
    async def open(
        self, key: str, *, start: int = 0, length: int | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        data = self._blob(key).data
        end = len(data) if length is None else start + length
        async with aclosing(_pieces(data, start, end)) as pieces:
            yield pieces

    async def stat(self, key: str) -> BlobInfo:
        return _info(key, self._blob(key))

    async def copy(self, source: str, target: str) -> None:
        self._blobs[target] = _Blob(self._blob(source).data, self._now())

    async def delete(self, key: str) -> None:
        self._blobs.pop(key, None)

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        for key, blob in [*self._blobs.items()]:
            if key.startswith(prefix):
                yield _info(key, blob)

    async def tidy(self, older_than: timedelta) -> int:
        return 0  # what a put was given before it failed was never kept

    async def ping(self) -> None:
        """Always answers."""

    def _blob(self, key: str) -> _Blob:
        try:
            return self._blobs[key]
        except KeyError:
            raise NotFound("blob", key) from None


def _info(key: str, blob: _Blob) -> BlobInfo:
    return BlobInfo(key, len(blob.data), blob.stored_at)


async def _pieces(data: bytes, start: int, end: int) -> AsyncGenerator[bytes, None]:
    for at in range(start, end, PIECE):
        yield data[at : min(at + PIECE, end)]
