"""docstore inside another Python program."""

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, Unpack

from docstore.application.docstore import Accounts, Docstore
from docstore.application.listing import MAX_PAGE_SIZE, Listed, Stretch
from docstore.application.reading import Detail, Readable
from docstore.application.refreshing import Stale
from docstore.application.repeating import Once
from docstore.application.uploading import Part
from docstore.container import Container, migrate, running
from docstore.domain import idempotency
from docstore.domain.editing import Changes
from docstore.domain.file import Details, File
from docstore.domain.findings import Json
from docstore.domain.ids import FileId, JobId
from docstore.domain.job import Job
from docstore.domain.user import User
from docstore.entrypoints.filters import Filters, file_query, job_query
from docstore.entrypoints.worker import working
from docstore.settings import Settings

PIECE: Final = 1024 * 1024  # bytes read from a path at once

T = TypeVar("T")

Source: TypeAlias = "bytes | str | os.PathLike[str] | AsyncIterable[bytes]"


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. Every method takes the user whose files they are, so nobody sees another's."""

    docstore: Docstore
    _wake: Callable[[], None]

    @property
    def accounts(self) -> Accounts:
        """Who is who: `ensure("their-id")` for a program that has users of its own."""
        return self.docstore.accounts

    async def upload(
        self,
        user: User,
        source: Source,
        *,
        filename: str | None = None,
        title: str | None = None,
        description: str | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, Json] | None = None,
        idempotency_key: str | None = None,
    ) -> File:
        """Store the bytes of `source`: a path, the bytes themselves, or an async iterator of them.

        `filename` may be left out for a path. On return the file is durable and its processing is
        recorded. Raises InvalidInput (TooLarge, InvalidField, ...) or Unavailable, having kept
        nothing. The same upload with the same `idempotency_key` within a day returns the first
        one's file, as it was then, and stores nothing; another upload with it is KeyReused.
        """
        details = Details(
            title=title, description=description, tags=tuple(tags), metadata=metadata or {}
        )
        name = filename or (Path(source).name if isinstance(source, (str, os.PathLike)) else "")
        part = Part(name=name, body=_body(source))
        (file,) = await self.docstore.upload(
            owner=user.id, parts=_one(part), details=lambda: details, once=_once(idempotency_key)
        )
        self._wake()
        return file

    async def get(self, user: User, file_id: FileId) -> Detail:
        """The file with its jobs; NotFound for another's as for none."""
        return await self.docstore.get(owner=user.id, id=file_id)

    async def wait(self, user: User, file_id: FileId, *, seconds: float = 60.0) -> File:
        """The file as soon as it is processed or failed, or as it is after `seconds`."""
        return (await self.docstore.wait(owner=user.id, id=file_id, seconds=seconds)).file

    async def list(
        self, user: User, *, page: int = 1, page_size: int = 20, **filters: Unpack[Filters]
    ) -> Sequence[File]:
        """One page of the user's files, newest first unless `sort` says otherwise."""
        wanted = Stretch(page=page, page_size=page_size)
        found = await self.docstore.list(owner=user.id, query=file_query(filters), wanted=wanted)
        return found.items

    def files(self, user: User, **filters: Unpack[Filters]) -> AsyncIterator[File]:
        """All of them, fetched as they are iterated over. Nothing comes twice and nothing that is
        there all the while is missed, whatever is uploaded and deleted meanwhile."""
        return _walk(partial(self.docstore.list, owner=user.id, query=file_query(filters)))

    async def count(self, user: User, **filters: Unpack[Filters]) -> int:
        """How many files that are."""
        wanted = Stretch(page_size=1, exact=True)
        found = await self.docstore.list(owner=user.id, query=file_query(filters), wanted=wanted)
        return found.total or 0

    async def edit(self, user: User, file_id: FileId, **changes: Unpack[Changes]) -> File:
        """Change the title, description, tags, metadata or filename; what is left out stays."""
        return await self.docstore.edit(owner=user.id, id=file_id, changes=changes)

    def jobs(self, user: User, *, status: str | None = None) -> AsyncIterator[Job]:
        """The jobs of the user's files, newest first."""
        return _walk(partial(self.docstore.jobs, owner=user.id, query=job_query(status)))

    async def job(self, user: User, job_id: JobId) -> Job:
        """One job of the user's; NotFound for another's as for none."""
        return await self.docstore.job(owner=user.id, id=job_id)

    async def read(self, user: User, file_id: FileId) -> bytes:
        """The whole original, in memory. For large files use `download` or `content`."""
        async with (await self.content(user, file_id)).open() as body:
            return b"".join([chunk async for chunk in body])

    async def content(self, user: User, file_id: FileId) -> Readable:
        """The original, to be opened and read in pieces or by ranges."""
        return await self.docstore.content(owner=user.id, id=file_id)

    async def text(self, user: User, file_id: FileId) -> str:
        """All the text that was found; NotReady before it is processed, NotFound without one."""
        readable = await self.docstore.text(owner=user.id, id=file_id)
        async with readable.open() as body:
            return b"".join([chunk async for chunk in body]).decode()

    async def rendition(self, user: User, file_id: FileId, name: str = "resized") -> Readable:
        """A picture made of the file: `thumbnail`, `preview` or `resized`. NotReady before the file
        is processed, NotFound when there is none.
        """
        return await self.docstore.rendition(owner=user.id, id=file_id, name=name)

    async def download(self, user: User, file_id: FileId, path: str | os.PathLike[str]) -> Path:
        """Write the original to `path`, which must not exist yet; on error nothing stays there."""
        readable = await self.content(user, file_id)
        target = Path(path)
        async with readable.open() as body:
            await _write(target, body)
        return target

    async def retry(self, user: User, file_id: FileId, *, force: bool = False) -> File:
        """Process a failed file again, from the step that failed; with `force` a processed one
        too, and from the first step.
        """
        file = await self.docstore.retry(owner=user.id, id=file_id, force=force)
        self._wake()
        return file

    async def reprocess_stale(
        self, user: User | None = None, *, dry_run: bool = False
    ) -> Sequence[Stale]:
        """Run the steps that a new or upgraded processor makes out of date, and no others: on the
        user's files or on everybody's. Those files; with `dry_run` nothing is done to them. Until
        its job is done, each is read as it was.
        """
        stale: list[Stale] = []
        owner = None if user is None else user.id
        await self.docstore.refresh(owner=owner, dry_run=dry_run, tell=stale.append)
        if not dry_run:
            self._wake()
        return stale

    async def delete(self, user: User, file_id: FileId) -> None:
        """Forget the file; its bytes go in the background."""
        await self.docstore.delete(owner=user.id, id=file_id)
        self._wake()


@asynccontextmanager
async def open(
    place: str | os.PathLike[str] | None = None, *, worker: bool = True, **settings: Any
) -> AsyncIterator[Store]:
    """A store in the folder `place`, made when it is not there; `memory://` for fast tests.

    Without `place` the DOCSTORE_* variables decide. Other settings are keyword arguments, such as
    `max_upload_bytes=10_000`. Without `worker`, files are processed by some other process.
    """
    container = Container(settings=_settings(place, settings))
    async with opened(container, worker=worker) as store:
        yield store


def opened(container: Container, *, worker: bool = True) -> AbstractAsyncContextManager[Store]:
    """The same for a container of your own, in which any provider may be overridden."""
    return _opened(container, worker)


@asynccontextmanager
async def _opened(container: Container, worker: bool) -> AsyncIterator[Store]:
    settings: Settings = container.settings()
    async with AsyncExitStack() as stack:
        await migrate(container)
        docstore = await stack.enter_async_context(running(container, worker=worker))
        wake = asyncio.Event()
        if worker:
            await stack.enter_async_context(working(docstore, settings, wake=wake))
        yield Store(docstore, wake.set)


def _settings(place: str | os.PathLike[str] | None, changes: Mapping[str, Any]) -> Settings:
    if place is None:
        return Settings(**changes)
    if str(place) == "memory://":
        memory = dict.fromkeys(("database_url", "storage_url", "queue_url"), "memory://")
        return Settings(**{"isolation": "none", **memory, **changes})
    return Settings(**{"data_dir": Path(place), **changes})


async def _walk(listing: Callable[..., Awaitable[Listed[T]]]) -> AsyncIterator[T]:
    cursor: str | None = None
    while True:
        found = await listing(wanted=Stretch(page_size=MAX_PAGE_SIZE, cursor=cursor))
        for item in found.items:
            yield item
        if (cursor := found.next_cursor) is None:
            return


def _once(key: str | None) -> Once | None:
    return None if key is None else Once(key=idempotency.idempotency_key(key))


async def _one(part: Part) -> AsyncIterator[Part]:
    yield part


def _body(source: Source) -> AsyncIterable[bytes]:
    if isinstance(source, bytes):
        return _bytes(source)
    if isinstance(source, (str, os.PathLike)):
        return _file(Path(source))
    return source


async def _bytes(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data


async def _file(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, PIECE):
            yield chunk
    finally:
        file.close()


async def _write(target: Path, body: AsyncIterator[bytes]) -> None:
    file = await asyncio.to_thread(target.open, "xb")
    try:
        with file:
            async for chunk in body:
                await asyncio.to_thread(file.write, chunk)
    except BaseException:
        await asyncio.to_thread(target.unlink, missing_ok=True)
        raise
