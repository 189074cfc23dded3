"""Bytes that a row names: followed when they move, and checked before they are given."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeVar

from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import Damaged, NotFound, Unavailable
from docstore.domain.file import File

MOVES: Final = 5  # of bytes while somebody opens them; more is no accident
VERIFIED: Final = 8 * 1024**2  # bytes of an original that are hashed before the first is given
KEPT: Final = 256 * 1024  # bytes that are kept meanwhile, so that they need not be read twice
INLINE: Final = 128 * 1024  # bytes that are hashed faster than a thread is reached

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Follower:
    """Opens what a row names. Processing moves bytes: it copies, commits the new key, deletes the
    old one. So a NotFound sends the reader to the row again, and means damage only when the row
    names the same key still.
    """

    begin: Begin
    blobs: BlobStore
    file: File
    key_of: Callable[[File], str | None]
    sha256: str | None = None  # hex, of all the bytes, when it is known

    async def size(self) -> int:
        """Bytes, as the store has them."""
        return (await self._follow(self.blobs.stat)).size

    def of_size(
        self, size: int
    ) -> Callable[[int, int | None], AbstractAsyncContextManager[AsyncIterator[bytes]]]:
        def read(
            start: int, length: int | None
        ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
            wanted = size - start if length is None else length
            if self.sha256 is None or wanted < size:
                return self._open(size, start, wanted)
            return self._verified(size, self.sha256)

        return read

    @asynccontextmanager
    async def _verified(self, size: int, expected: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """All of it. What is too long to be hashed first is cut short when the store has another
        length than it should: nobody may take a part of something for the whole.
        """
        stored = await self.size()
        if size <= VERIFIED:
            kept = await self._checked(size, expected) if stored == size else None
            if kept is None:
                raise Damaged(f"the stored bytes of {self.file.id} are not what was uploaded")
            if size <= KEPT:
                yield _given(kept)
                return
        async with self._open(size, 0, size) as body:
            yield body if stored == size else _cut_short(body, size, self.file)

    async def _checked(self, size: int, expected: str) -> Sequence[bytes] | None:
        """The first of the bytes, KEPT of them or a little more; None when the hash of all of them
        is not as expected.
        """
        digest = sha256()
        kept: list[bytes] = []
        async with self._open(size, 0, size) as body:
            async for chunk in body:
                if sum(map(len, kept)) < KEPT:
                    kept.append(chunk)
                if len(chunk) <= INLINE:
                    digest.update(chunk)
                else:
                    await asyncio.to_thread(digest.update, chunk)
        return kept if digest.hexdigest() == expected else None

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


async def _given(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def _whole(body: AsyncIterator[bytes], length: int, file: File) -> AsyncIterator[bytes]:
    left = length
    async for chunk in body:
        left -= len(chunk)
        yield chunk
    if left:
        raise Damaged(f"the stored bytes of {file.id} end {left} too early")


async def _cut_short(body: AsyncIterator[bytes], size: int, file: File) -> AsyncIterator[bytes]:
    left = size
    async for chunk in body:
        left -= len(chunk)
        if left == 0:
            raise Damaged(f"the stored bytes of {file.id} are not {size}")
        yield chunk
