"""Who may see what: the owner's id is part of every query, here and nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from docstore.application.following import Follower
from docstore.application.linking import Links
from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import DocstoreError, NotFound, NotReady
from docstore.domain.file import File
from docstore.domain.ids import FileId, JobId, UserId
from docstore.domain.job import Job
from docstore.domain.names import MediaType
from docstore.domain.versions import Versions

FIRST_LOOK: Final = 0.05  # seconds between looks while somebody waits; then a little longer each
LAST_LOOK: Final = 0.5

RESIZED: Final = "resized"


@dataclass(frozen=True, slots=True)
class Detail:
    """A file with its jobs, newest first."""

    file: File
    jobs: Sequence[Job]

    @property
    def versions(self) -> Versions:
        return Versions(self.file.version, frozenset((job.id, job.version) for job in self.jobs))


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
class IsUnchanged:
    """Whether the caller's file and its jobs still are at the versions that a Detail had: a fourth
    of the time of reading them. NotFound as for any other question about the file.
    """

    begin: Begin

    async def __call__(self, *, owner: UserId, id: FileId, versions: Versions) -> bool:
        async with self.begin(read_only=True) as tx:
            return await tx.files.versions(owner, id) == versions


@dataclass(frozen=True, slots=True)
class GetJob:
    """A job of one of the caller's files; anybody else's is NotFound."""

    begin: Begin

    async def __call__(self, *, owner: UserId, id: JobId) -> Job:
        async with self.begin(read_only=True) as tx:
            return await tx.jobs.owned(owner, id)


@dataclass(frozen=True, slots=True)
class Readable:
    """Bytes of a file that its owner may read: the original, the text, or a rendition."""

    file: File
    media_type: MediaType
    size: int  # bytes
    sha256: str | None  # hex, of the original alone
    read: Callable[[int, int | None], AbstractAsyncContextManager[AsyncIterator[bytes]]]
    links: Links | None = None  # of originals, where they are allowed

    def open(
        self, *, start: int = 0, length: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes from `start`, `length` of them or all; the caller stays inside `size`.

        Raises Damaged when the store has lost them, or when all of an original of at most VERIFIED
        bytes is asked for and is not what was uploaded; on the way, when they end too early, and
        in place of the last ones when there are more than there should be.
        """
        return self.read(start, length)

    async def link(self, *, disposition: str) -> str | None:
        """Where the store itself gives these bytes to whoever has the link; None when it must be
        read from here. `disposition` becomes the answer's Content-Disposition.
        """
        if self.links is None:
            return None
        return await self.links.to(self.file, disposition=disposition)


@dataclass(frozen=True, slots=True)
class OpenContent:
    """The original, in every status."""

    begin: Begin
    blobs: BlobStore
    links: Links | None = None  # None: every byte goes through docstore

    async def __call__(self, *, owner: UserId, id: FileId) -> Readable:
        file = await _owned(self.begin, owner, id=id)
        reader = Follower(self.begin, self.blobs, file, lambda f: f.storage_path, file.sha256)
        read = reader.of_size(file.size)
        return Readable(file, file.media_type, file.size, file.sha256, read, self.links)


@dataclass(frozen=True, slots=True)
class OpenText:
    """All the extracted text, UTF-8. NotReady before the file is processed, NotFound without one.

    While a file is processed once more, what was found before is there.
    """

    begin: Begin
    blobs: BlobStore

    async def __call__(self, *, owner: UserId, id: FileId) -> Readable:
        file = await _owned(self.begin, owner, id=id)
        if file.text_key is None:
            raise _missing(file, "text")
        reader = Follower(self.begin, self.blobs, file, lambda f: f.text_key)
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
        found = next((r for r in file.renditions if r.name == name), None)
        if found is None:
            raise _missing(file, name)
        reader = Follower(self.begin, self.blobs, file, lambda f: _key_of(f, name))
        return Readable(file, found.media_type, found.size, None, reader.of_size(found.size))


def _missing(file: File, what: str) -> DocstoreError:
    """Why there is no such thing: not yet, or not at all."""
    if file.status.is_final:
        return NotFound(f"{what} of file", file.id)
    return NotReady(f"the {what} is there once the file is processed")


def _key_of(file: File, name: str) -> str | None:
    return next((r.key for r in file.renditions if r.name == name), None)


async def _owned(
    begin: Begin, owner: UserId, *, id: FileId | None = None, key: str | None = None
) -> File:
    async with begin(read_only=True) as tx:
        return await tx.files.owned(owner, id=id, key=key)
