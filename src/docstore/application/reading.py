"""Who may see what: the owner's id is part of every query, here and nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.unit_of_work import Begin, Page
from docstore.domain.errors import Damaged, NotFound, NotReady, Unavailable
from docstore.domain.file import File
from docstore.domain.ids import FileId, UserId
from docstore.domain.job import Job
from docstore.domain.names import MediaType

FIRST_LOOK: Final = 0.05  # seconds between looks while somebody waits; then a little longer each
LAST_LOOK: Final = 0.5

RESIZED: Final = "resized"

MOVES: Final = 5  # of bytes while somebody opens them; more is no accident

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Detail:
    """A file with its jobs, newest first."""

    file: File
    jobs: Sequence[Job]


@dataclass(frozen=True, slots=True)
class Get:
    """The caller's file. Another's and an unknown one are the same NotFound."""

    begin: Begin

    async def __call__(self, *, owner: UserId, id: FileId) -> Detail:
        async with self.begin(read_only=True) as tx:
            file = await tx.files.owned(owner, id=id)
            return Detail(file, await tx.jobs.of_file(file.id))


@dataclass(frozen=True, slots=True)
class Wait:
    """The caller's file as soon as it is final, or as it is after `seconds`."""

    begin: Begin

    async def __call__(self, *, owner: UserId, id: FileId, seconds: float) -> Detail:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        pause = FIRST_LOOK
        while True:
            async with self.begin(read_only=True) as tx:
                file = await tx.files.owned(owner, id=id)
                left = until - loop.time()
                if file.status.is_final or left <= 0:
                    return Detail(file, await tx.jobs.of_file(file.id))
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 1.5, LAST_LOOK)


@dataclass(frozen=True, slots=True)
class List:
    """The caller's files, newest first."""

    begin: Begin

    async def __call__(self, *, owner: UserId, page: int, page_size: int) -> Page:
        """`page` counts from 1."""
        async with self.begin(read_only=True) as tx:
            return await tx.files.page(owner, offset=(page - 1) * page_size, limit=page_size)


@dataclass(frozen=True, slots=True)
class Readable:
    """Bytes of a file that its owner may read: the original, the text, or a rendition."""

    file: File
    media_type: MediaType
    size: int  # bytes
    sha256: str | None  # hex, of the original alone
    read: Callable[[int, int | None], AbstractAsyncContextManager[AsyncIterator[bytes]]]

    def open(
        self, *, start: int = 0, length: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes from `start`, `length` of them or all; the caller stays inside `size`.

        Raises Damaged when the store has lost them, and on the way when they end too early.
        """
        return self.read(start, length)


@dataclass(frozen=True, slots=True)
class OpenContent:
    """The original, in every status."""

    begin: Begin
    blobs: BlobStore

    async def __call__(self, *, owner: UserId, id: FileId) -> Readable:
        file = await _owned(self.begin, owner, id=id)
        reader = _Reader(self.begin, self.blobs, file, lambda f: f.storage_path)
        return Readable(file, file.media_type, file.size, file.sha256, reader.of_size(file.size))


@dataclass(frozen=True, slots=True)
class OpenText:
    """All the extracted text, UTF-8. NotReady before the file is final, NotFound without one."""

    begin: Begin
    blobs: BlobStore

    async def __call__(self, *, owner: UserId, id: FileId) -> Readable:
        file = await _owned(self.begin, owner, id=id)
        if not file.status.is_final:
            raise NotReady("the text is there once the file is processed")
        if file.text_key is None:
            raise NotFound("text of file", id)
        reader = _Reader(self.begin, self.blobs, file, lambda f: f.text_key)
        size = await reader.size()
        return Readable(
            file, MediaType("text/plain; charset=utf-8"), size, None, reader.of_size(size)
        )


@dataclass(frozen=True, slots=True)
class OpenRendition:
    """A picture made from the file, by the file's id or its public key.

    NotReady before the file is processed, NotFound when it has none of that name.
    """

    begin: Begin
    blobs: BlobStore

    async def __call__(
        self,
        *,
        owner: UserId,
        id: FileId | None = None,
        key: str | None = None,
        name: str = RESIZED,
    ) -> Readable:
        file = await _owned(self.begin, owner, id=id, key=key)
        if not file.status.is_final:
            raise NotReady(f"the {name} is there once the file is processed")
        found = next((r for r in file.renditions if r.name == name), None)
        if found is None:
            raise NotFound(f"{name} of file", file.id)
        reader = _Reader(self.begin, self.blobs, file, lambda f: _key_of(f, name))
        return Readable(file, found.media_type, found.size, None, reader.of_size(found.size))


def _key_of(file: File, name: str) -> str | None:
    return next((r.key for r in file.renditions if r.name == name), None)


async def _owned(
    begin: Begin, owner: UserId, *, id: FileId | None = None, key: str | None = None
) -> File:
    async with begin(read_only=True) as tx:
        return await tx.files.owned(owner, id=id, key=key)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Opens what a row names. Processing moves bytes: it copies, commits the new key, deletes the
    old one. So a NotFound sends the reader to the row again, and means damage only when the row
    names the same key still.
    """

    begin: Begin
    blobs: BlobStore
    file: File
    key_of: Callable[[File], str | None]

    async def size(self) -> int:
        """Bytes, as the store has them."""
        return (await self._follow(self.blobs.stat)).size

    def of_size(
        self, size: int
    ) -> Callable[[int, int | None], AbstractAsyncContextManager[AsyncIterator[bytes]]]:
        def read(
            start: int, length: int | None
        ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
            return self._open(size, start, size - start if length is None else length)

        return read

    @asynccontextmanager
    async def _open(
        self, size: int, start: int, length: int
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        async with AsyncExitStack() as stack:

            async def enter(key: str) -> AsyncIterator[bytes]:
                if key != self.key_of(self.file):
                    await self._check_size(key, size)
                return await stack.enter_async_context(
                    self.blobs.open(key, start=start, length=length)
                )

            yield _whole(await self._follow(enter), length, self.file)

    async def _follow(self, use: Callable[[str], Awaitable[T]]) -> T:
        key = self.key_of(self.file)
        for _ in range(MOVES):
            if key is None:
                raise NotFound("such bytes of file", self.file.id)
            try:
                return await use(key)
            except NotFound:
                key = await self._moved_from(key)
        raise Unavailable(f"the bytes of {self.file.id} are replaced again and again")

    async def _moved_from(self, gone: str) -> str | None:
        async with self.begin(read_only=True) as tx:
            found = await tx.files.find([self.file.id])
        key = self.key_of(found[0]) if found else None
        if key == gone:
            raise Damaged(f"the stored bytes of {self.file.id} are gone")
        return key

    async def _check_size(self, key: str, size: int) -> None:
        """What was processed once more may have come out otherwise than what was promised."""
        if (await self.blobs.stat(key)).size != size:
            raise Unavailable(f"the bytes of {self.file.id} were replaced just now")


async def _whole(body: AsyncIterator[bytes], length: int, file: File) -> AsyncIterator[bytes]:
    left = length
    async for chunk in body:
        left -= len(chunk)
        yield chunk
    if left:
        raise Damaged(f"the stored bytes of {file.id} end {left} too early")
