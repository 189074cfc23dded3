from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """A stored blob, as the store sees it."""

    key: str
    size: int  # bytes
    stored_at: datetime  # aware, UTC, the store's clock: never before it came *under this key*


class BlobStore(Protocol):
    """Bytes by key. `docstore.testing.BlobStoreContract` tests every promise made here.

    Keys are made by docstore, never by a client: 1 to 512 characters of `a-z0-9/._-`, no part of
    which is empty, `.`, `..` or longer than 255, and no key is another one's folder. Limits,
    checksums and content types are the caller's business, so no store repeats them. Any method
    may raise Unavailable (the store did not answer, the same call may work later) or OutOfSpace.
    """

    async def put(self, key: str, body: AsyncIterable[bytes]) -> None:
        """Store the whole of `body` under `key`, in place of what was there, durably.

        All or nothing: readers see the old blob, or none, until this returns. When `body`
        raises, or the task is cancelled, nothing changes and the error passes through as it is.
        """
        ...

    def open(
        self, key: str, *, start: int = 0, length: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read `length` bytes from offset `start`, or all; NotFound is raised on entering.

        The caller keeps a range inside the blob: `0 <= start`, `1 <= length` and
        `start + length <= size`. Chunks are never empty and may be of any size. Who has entered
        reads the blob as it was then, also when it is replaced or deleted meanwhile.
        """
        ...

    async def stat(self, key: str) -> BlobInfo:
        """What is stored under `key`, or NotFound."""
        ...

    async def copy(self, source: str, target: str) -> None:
        """Put the blob of `source` under `target` too, durably; NotFound when there is none.

        All or nothing, as `put`. May share the bytes, never the fate: deleting or replacing one
        leaves the other.
        """
        ...

    async def delete(self, key: str) -> None:
        """Forget `key`; when it is not there, do nothing."""
        ...

    def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Every whole blob whose key begins with `prefix`, in any order. What is put or deleted
        meanwhile may or may not be among them; each is told at most once.
        """
        ...

    async def tidy(self, older_than: timedelta) -> int:
        """Remove what puts that never ended left behind at least that long ago; tell how many."""
        ...


@runtime_checkable
class SignsUrls(Protocol):
    """An optional power of a blob store: let others fetch a blob without asking docstore."""

    async def signed_url(
        self, key: str, *, lifetime: timedelta, media_type: str, disposition: str
    ) -> str:
        """A URL where whoever has it may GET the blob until `lifetime` is over, with this
        Content-Type and Content-Disposition, whether the blob is there or not.
        """
        ...


@runtime_checkable
class Pingable(Protocol):
    """An optional power of any adapter: say quickly whether the thing behind it answers."""

    async def ping(self) -> None:
        """Return, or raise Unavailable."""
        ...
