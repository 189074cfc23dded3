"""The API on adapters in memory, spoken to without a socket."""

from base64 import b64decode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from dependency_injector import providers
from litestar import Litestar

from docstore.adapters.passwords.memory import MemoryPasswords
from docstore.application.docstore import Docstore
from docstore.application.ports.processor import Findings, Picture
from docstore.container import Container
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.file import File
from docstore.domain.ids import JobId
from docstore.domain.names import MediaType
from docstore.domain.step import Planned
from docstore.entrypoints.http.app import create_app
from docstore.settings import Settings

PASSWORD = "correct horse battery staple"
A_PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
MEMORY = dict.fromkeys(("database_url", "storage_url", "queue_url"), "memory://")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def changes() -> Mapping[str, Any]:
    """Settings that a test wants otherwise; parametrize it."""
    return {}


@pytest.fixture
def settings(changes: Mapping[str, Any]) -> Settings:
    return Settings(**{"isolation": "none", **MEMORY, **changes})


@dataclass
class Reader:
    """Stands in for all processors: each finds what the test says, and the last one fails."""

    findings: Sequence[Findings] = ()
    fails: FailureCode | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def plan(self, media_type: MediaType) -> Sequence[Planned]:
        return [
            Planned(processor=name, version=self.versions.get(name, "1")) for name in self._names()
        ]

    @asynccontextmanager
    async def reading(self, file: File, body: AsyncIterator[bytes]) -> AsyncIterator["Reader"]:
        async for _ in body:
            pass
        yield self

    async def run(self, processor: str) -> Findings:
        names = self._names()
        if self.fails and processor == names[-1]:
            raise ProcessingFailed(self.fails, "it is broken")
        return dict(zip(names, self.findings, strict=True))[processor]

    def _names(self) -> Sequence[str]:
        return [f"reader-{n}" for n in range(max(len(self.findings), bool(self.fails)))]


A_PICTURE = Findings(
    text="all the words",
    pictures=[
        Picture(name=name, media_type=MediaType("image/png"), width=4, height=3, data=b"PNG" + tag)
        for name, tag in (("thumbnail", b"1"), ("preview", b"22"), ("resized", b"333"))
    ],
)


@pytest.fixture
def reader() -> Reader:
    return Reader([A_PICTURE])


@dataclass
class Bell:
    """Counts how often a worker would have been woken."""

    rung: int = 0

    def __call__(self) -> None:
        self.rung += 1


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def container(settings: Settings, reader: Reader, bell: Bell) -> Container:
    container = Container(settings=settings)
    container.passwords.override(providers.Object(MemoryPasswords()))
    container.extractor.override(providers.Object(reader))
    container.wake.override(providers.Object(bell))
    return container


@pytest.fixture
def docstore(container: Container) -> Docstore:
    found: Docstore = container.docstore()
    return found


@pytest.fixture
async def app(container: Container) -> AsyncIterator[Litestar]:
    app = create_app(container)
    async with app.lifespan():
        yield app


def client_of(app: Litestar, prefix: str = "") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # its scope is a plain dict
    return httpx.AsyncClient(transport=transport, base_url=f"http://docstore{prefix}")


@pytest.fixture
async def nobody(app: Litestar, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with client_of(app, settings.http_prefix) as client:
        yield client


async def sign_in(client: httpx.AsyncClient, email: str) -> None:
    credentials = {"email": email, "password": PASSWORD}
    assert (await client.post("/auth/register", json=credentials)).status_code == 201
    answer = await client.post("/auth/login", json=credentials)
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


@pytest.fixture
async def alice(app: Litestar, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, settings.http_prefix) as client:
        await sign_in(client, "alice@example.org")
        yield client


@pytest.fixture
async def bob(app: Litestar, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, settings.http_prefix) as client:
        await sign_in(client, "bob@example.org")
        yield client


async def never() -> AsyncIterator[bytes]:
    """A body that nobody should ask for."""
    for _ in range(1):
        raise AssertionError("the body was read")
    yield b""


@dataclass
class Store:
    """What is really kept, behind the API's back."""

    container: Container

    async def blobs(self) -> Sequence[str]:
        return sorted([blob.key async for blob in self.container.blobs().list("")])

    async def files(self) -> Sequence[File]:
        async with self.container.begin()(read_only=True) as tx:
            found: Sequence[File] = await tx.files.after(None, limit=1000)
            return found

    async def is_empty(self) -> bool:
        return not await self.blobs() and not await self.files()


@pytest.fixture
def store(container: Container, app: Litestar) -> Store:
    return Store(container)


@dataclass
class Worker:
    """Runs what is due, when a test says so."""

    docstore: Docstore

    async def process(self, client: httpx.AsyncClient, file_id: str) -> Mapping[str, Any]:
        """The file as it is after its newest job has run."""
        view = (await client.get(f"/files/{file_id}")).json()
        await self.docstore.background.work(JobId(UUID(view["jobs"][0]["id"])))
        found: Mapping[str, Any] = (await client.get(f"/files/{file_id}")).json()
        return found


@pytest.fixture
def worker(docstore: Docstore, app: Litestar) -> Worker:
    return Worker(docstore)
