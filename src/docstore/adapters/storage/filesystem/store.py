from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterator,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from docstore.adapters.storage.filesystem import listing
from docstore.adapters.storage.filesystem.errors import LinksRefused, fs_errors, lookup_errors
from docstore.adapters.storage.filesystem.folders import Folders
from docstore.adapters.storage.filesystem.fsops import FsOps, OsFsOps
from docstore.adapters.storage.filesystem.incoming import Incoming
from docstore.adapters.storage.filesystem.layout import INCOMING, path_of
from docstore.adapters.storage.filesystem.location import make_root, root_of
from docstore.adapters.storage.filesystem.mounts import Mount
from docstore.adapters.storage.filesystem.reading import Reading
from docstore.adapters.storage.threads import Behind, Threads
from docstore.application.ports.blob_store import BlobInfo
from docstore.domain.errors import NotFound, Unavailable

_BATCH: Final = 512 * 1024  # bytes that are written at once
_SMALL: Final = 128 * 1024  # bytes that are copied faster than a thread is reached
_MOST_CHUNKS = 1024  # so many are written at once, however small: IOV_MAX
_THREADS = 16
_LISTED_AT_ONCE = 256
_PING_SECONDS = 5.0


def connect(url: str, *, durable: bool = True) -> "FilesystemBlobStore":
    """The store in the folder that `url` names, `file:///absolute/path`; made when missing.

    Raises ValueError for another form of URL, Unavailable when the folder cannot be made.
    """
    root = root_of(url)
    with fs_errors(str(root)):
        make_root(root, durable=durable)
    return FilesystemBlobStore(root, durable=durable)


class FilesystemBlobStore:
    """Blobs as files below the existing folder `root`. A rename makes `put` all or nothing.

    `stored_at` is the time of the last change to the file or its names, so it may be later than
    the port says, never earlier: a hard link shares all its times with its source.
    """

    def __init__(
        self,
        root: Path,
        *,
        durable: bool = True,
        fs: FsOps | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._root = root
        self._arriving = root / INCOMING
        self._durable = durable
        self._fs = OsFsOps() if fs is None else fs
        self._now = now
        self._folders = Folders(self._fs, root, durable=durable)
        self._threads = Threads(_THREADS, "docstore-files")
        self._mount = Mount.of(root) if fs is None else Mount(None)

    async def put(self, key: str, body: AsyncIterable[bytes]) -> None:
        target = path_of(self._root, key)
        incoming = self._incoming()
        try:
            rest = await self._write_most(incoming, key, body)
            finish = partial(_finish, incoming, key, rest, target)
            if self._is_quick(incoming, rest):
                finish()
            else:
                await self._threads.commit(finish)
        finally:
            await self._clear(incoming)

    @asynccontextmanager
    async def open(
        self, key: str, *, start: int = 0, length: int | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        reading = Reading(self._fs, path_of(self._root, key), start, length)
        try:
            first = await self._begin(reading, key)
            async with aclosing(self._pieces(reading, key, first)) as pieces:
                yield pieces
        finally:
            if reading.is_open:
                await self._threads.run(reading.close)

    async def stat(self, key: str) -> BlobInfo:
        if self._mount.is_local:
            return self._stat(key)
        return await self._threads.run(partial(self._stat, key))

    async def copy(self, source: str, target: str) -> None:
        came_from = path_of(self._root, source)
        going_to = path_of(self._root, target)
        try:
            incoming = self._incoming()
            try:
                step = partial(self._share, incoming, source, came_from, going_to)
                await self._threads.commit(step)
            finally:
                await self._clear(incoming)
        except LinksRefused:
            async with self.open(source) as body:
                await self.put(target, body)

    async def delete(self, key: str) -> None:
        await self._threads.run(partial(self._delete, key))

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        found = listing.blobs(self._fs, self._root, prefix)
        while some := await self._threads.run(partial(self._some, found, prefix)):
            for blob in some:
                yield blob

    async def tidy(self, older_than: timedelta) -> int:
        return await self._threads.run(partial(self._tidy, older_than))

    async def ping(self) -> None:
        try:
            await self._threads.probe(self._try_writing, seconds=_PING_SECONDS)
        except TimeoutError as error:
            raise Unavailable(f"{self._root}: no answer in {_PING_SECONDS:.0f} s") from error

    def _incoming(self) -> Incoming:
        return Incoming(self._fs, self._arriving, self._folders, durable=self._durable)

    async def _clear(self, incoming: Incoming) -> None:
        if incoming.exists:
            await self._threads.run(incoming.discard)

    async def _write_most(
        self, incoming: Incoming, key: str, body: AsyncIterable[bytes]
    ) -> Sequence[bytes]:
        """Write `body` but for its rest, which may be all of it: that is written as it is
        published, so that a small body costs one change of threads at most. One batch is written
        while the next one comes.
        """
        batch: list[bytes] = []
        size = 0
        async with Behind(self._threads) as behind:
            async for chunk in body:
                batch.append(chunk)
                size += len(chunk)
                if size >= _BATCH or len(batch) >= _MOST_CHUNKS:
                    await behind.start(partial(_write, incoming, key, batch))
                    batch, size = [], 0
        return batch

    def _is_quick(self, incoming: Incoming, rest: Sequence[bytes]) -> bool:
        """Whether it ends before a thread would begin: all of it goes to memory, and is little."""
        if self._durable or incoming.exists or not self._mount.is_local:
            return False
        return sum(map(len, rest)) <= _SMALL

    async def _begin(self, reading: Reading, key: str) -> bytes:
        """Open the blob; its first piece."""
        if not self._mount.is_local:
            return await self._threads.run(partial(self._first, reading, key))
        with lookup_errors(self._fs, self._root, key):
            reading.open()
            return self._at_once(reading) or await self._threads.run(reading.next)

    async def _next(self, reading: Reading, key: str) -> bytes:
        """The next piece, read in a thread only when it has to come from a disk."""
        with fs_errors(key):
            piece = self._at_once(reading)
        return piece or await self._threads.run(partial(_next, reading, key))

    def _at_once(self, reading: Reading) -> bytes:
        """The next piece, or nothing when reading it may take long."""
        if self._mount.is_in_memory:
            return reading.next()
        return reading.next_cached() if self._mount.is_local else b""

    async def _pieces(
        self, reading: Reading, key: str, first: bytes
    ) -> AsyncGenerator[bytes, None]:
        if first:
            yield first
        while reading.is_open and (piece := await self._next(reading, key)):
            yield piece

    # Below are the steps that block: each runs in a thread, and as a whole.

    def _first(self, reading: Reading, key: str) -> bytes:
        with lookup_errors(self._fs, self._root, key):
            return reading.first()

    def _stat(self, key: str) -> BlobInfo:
        with lookup_errors(self._fs, self._root, key):
            status = self._fs.stat(path_of(self._root, key))
        if not status.is_file:
            raise NotFound("blob", key)
        return BlobInfo(key, status.size, status.changed_at)

    def _share(self, incoming: Incoming, key: str, source: Path, target: Path) -> None:
        self._stat(key)  # only of a file: a link to a symbolic link would be one too
        with lookup_errors(self._fs, self._root, key):
            incoming.share(source, target)

    def _delete(self, key: str) -> None:
        path = path_of(self._root, key)
        with suppress(NotFound), lookup_errors(self._fs, self._root, key):
            self._fs.unlink(path)
        self._folders.prune(path.parent)

    def _some(self, found: Iterator[BlobInfo], prefix: str) -> Sequence[BlobInfo]:
        with fs_errors(prefix):
            self._fs.stat(self._root)  # a store that is missing is not an empty one
            return [*islice(found, _LISTED_AT_ONCE)]

    def _tidy(self, older_than: timedelta) -> int:
        with fs_errors(INCOMING):
            return listing.remove_old(self._fs, self._arriving, self._now() - older_than)

    def _try_writing(self) -> None:
        incoming = Incoming(self._fs, self._arriving, self._folders, durable=False)
        try:
            with fs_errors(str(self._root)):
                incoming.write(())
        finally:
            incoming.discard()


def _write(incoming: Incoming, key: str, batch: Sequence[bytes]) -> None:
    with fs_errors(key):
        incoming.write(batch)


def _finish(incoming: Incoming, key: str, batch: Sequence[bytes], target: Path) -> None:
    with fs_errors(key):
        incoming.write(batch)
        incoming.publish(target)


def _next(reading: Reading, key: str) -> bytes:
    with fs_errors(key):
        return reading.next()
