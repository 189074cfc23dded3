"""docstore on adapters in memory, with processors that do what a test says."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from dependency_injector import providers

from docstore.adapters.persistence.memory import MemoryDatabase, MemoryUnitOfWork
from docstore.application.docstore import Docstore
from docstore.application.ports.processor import Findings
from docstore.application.reading import Readable
from docstore.application.uploading import Part
from docstore.container import Container
from docstore.domain.file import File
from docstore.domain.ids import FileId, UserId
from docstore.domain.job import Job
from docstore.domain.names import MediaType
from docstore.domain.step import Planned
from docstore.domain.user import User
from docstore.settings import Settings


@dataclass
class Script:
    """An extractor: who is there, what each finds, and who was asked."""

    plan_: list[Planned] = field(default_factory=list)
    finds: dict[str, Findings | Exception] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[None]] | None = None  # while a processor runs

    def has(
        self, name: str, finds: Findings | Exception, *, version: str = "1", after: str = ""
    ) -> None:
        """Install it, or upgrade it."""
        planned = Planned(processor=name, version=version, after=frozenset(after.split()))
        others = [each for each in self.plan_ if each.processor != name]
        place = next(
            (n for n, each in enumerate(self.plan_) if each.processor == name), len(others)
        )
        self.plan_ = [*others[:place], planned, *others[place:]]
        self.finds[name] = finds

    def plan(self, media_type: MediaType) -> Sequence[Planned]:
        return self.plan_

    @asynccontextmanager
    async def reading(self, file: File, body: AsyncIterator[bytes]) -> AsyncIterator["Script"]:
        async for _ in body:
            pass
        yield self

    async def run(self, processor: str) -> Findings:
        self.ran.append(processor)
        if self.meanwhile:
            await self.meanwhile()
        found = self.finds[processor]
        if isinstance(found, Exception):
            raise found
        return found


class CountedDatabase(MemoryDatabase):
    """Knows how many transactions there were that wrote."""

    writes = 0

    def begin(self, *, read_only: bool = False, add_only: bool = False) -> MemoryUnitOfWork:
        self.writes += not read_only
        return super().begin(read_only=read_only, add_only=add_only)


@dataclass
class Office:
    """A store, its only owner, and somebody who works when told to."""

    container: Container
    docstore: Docstore
    database: CountedDatabase
    script: Script
    owner: UserId

    async def upload(self) -> FileId:
        async def parts() -> AsyncIterator[Part]:
            yield Part(name="letter.txt", body=_body())

        (file,) = await self.docstore.upload(owner=self.owner, parts=parts())
        return file.id

    async def processed(self) -> FileId:
        """A file, just uploaded and worked on once."""
        file_id = await self.upload()
        await self.work(file_id)
        self.script.ran.clear()
        return file_id

    async def work(self, file_id: FileId) -> Job:
        """One attempt at the file's newest job."""
        await self.docstore.background.work((await self.job(file_id)).id)
        return await self.job(file_id)

    async def job(self, file_id: FileId) -> Job:
        return (await self.docstore.get(owner=self.owner, id=file_id)).jobs[0]

    async def file(self, file_id: FileId) -> File:
        return (await self.docstore.get(owner=self.owner, id=file_id)).file

    async def retry(self, file_id: FileId, *, force: bool = False) -> None:
        await self.docstore.retry(owner=self.owner, id=file_id, force=force)

    async def text(self, file_id: FileId) -> str:
        return (await read(await self.docstore.text(owner=self.owner, id=file_id))).decode()

    async def sweep(self) -> None:
        """After the grace."""
        await self.docstore.background.sweep(grace=timedelta(0))

    async def blobs(self) -> set[str]:
        return {blob.key async for blob in self.container.blobs().list("")}


async def open_office() -> Office:
    urls = ("database_url", "storage_url", "queue_url")
    memory: dict[str, Any] = {"isolation": "none", **dict.fromkeys(urls, "memory://")}
    container = Container(settings=Settings(**memory))
    database, script = CountedDatabase(), Script()
    container.database.override(providers.Object(database))
    container.extractor.override(providers.Object(script))
    container.jitter.override(providers.Object(lambda: 0.0))  # another attempt is due at once
    async with database.begin() as tx:
        user = User(id=UserId(uuid4()), external_id="me", created_at=await tx.now())
        await tx.users.add(user)
        await tx.commit()
    return Office(container, container.docstore(), database, script, user.id)


async def read(readable: Readable) -> bytes:
    async with readable.open() as body:
        return b"".join([chunk async for chunk in body])


async def _body() -> AsyncIterator[bytes]:
    yield b"Dear reader"
