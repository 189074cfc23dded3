"""The API in this process, on SQLite and files in one folder: where most attacks are made."""

import asyncio
import json
import os
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
    contextmanager,
)
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, Self
from uuid import UUID

import httpx
from dependency_injector import providers

from docstore.adapters.passwords.memory import MemoryPasswords
from docstore.application.docstore import Docstore
from docstore.application.ports.processor import Processor
from docstore.container import Container, migrate
from docstore.domain.ids import JobId
from docstore.entrypoints.http.app import create_app
from docstore.settings import Settings

SECRET: Final = "a key that only the server should have"
PASSWORD: Final = "correct horse battery staple"
ABSENT: Final = "0199d0a4-7c1e-7cc2-9d0e-5c0c7f3c1b11"
UNLIMITED: Final = {"upload_rate": "off", "login_rate": "100000/minute"}

TABLES: Final = {"files": "id", "jobs": "id", "users": "id", "idempotency_keys": "key"}
"""What requests leave rows in, and what tells one row from another."""

Headers = Sequence[tuple[str | bytes, str | bytes]]


@dataclass(frozen=True, slots=True)
class Remains:
    """All that a request can leave behind: rows of each kind, and every file on the disk."""

    rows: frozenset[tuple[str, str]]  # of a table, by id
    paths: frozenset[Path]

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.rows - other.rows, self.paths - other.paths)

    def __or__(self, other: Self) -> Self:
        return type(self)(self.rows | other.rows, self.paths | other.paths)

    def __le__(self, other: Self) -> bool:
        return self.rows <= other.rows and self.paths <= other.paths

    def count(self, table: str) -> int:
        return sum(name == table for name, _ in self.rows)


NOTHING: Final = Remains(frozenset(), frozenset())


@dataclass
class Stand:
    """One running application, and the people who know it. `anon` has no token."""

    root: Path
    container: Container
    connect: Callable[[str], httpx.AsyncBaseTransport]  # of who comes from an address
    url: str = "http://docstore"
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    wanted: Remains = NOTHING  # what an attack prepared, and may leave behind

    @property
    def docstore(self) -> Docstore:
        found: Docstore = self.container.docstore()
        return found

    def client(self, who: str = "alice") -> httpx.AsyncClient:
        return self.clients[who]

    def stranger(self, address: str = "192.0.2.1") -> httpx.AsyncClient:
        """A client without a token who comes from `address`."""
        return httpx.AsyncClient(transport=self.connect(address), base_url=self.url, timeout=20)

    async def join(self, name: str, address: str = "192.0.2.1") -> httpx.AsyncClient:
        """A new account, signed in; kept under `name`."""
        client = self.stranger(address)
        credentials = {"email": f"{name}-{token_hex(4)}@example.org", "password": PASSWORD}
        with self.preparing():
            answer = await client.post("/auth/register", json=credentials)
        assert answer.status_code == 201, answer.text
        if old := self.clients.get(name):
            await old.aclose()
        self.clients[name], self.ids[name] = client, answer.json()["id"]
        token = (await client.post("/auth/login", json=credentials)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    async def ask(
        self, method: str, path: str, *, who: str = "alice", headers: Headers = (), **more: Any
    ) -> httpx.Response:
        """Send exactly `headers`, repeated ones and bytes beyond ASCII among them."""
        request = self.client(who).build_request(method, path, **more)
        raw = [(_bytes(name), _bytes(value)) for name, value in headers]
        named = {name.lower() for name, _ in raw}
        kept = [(n, v) for n, v in request.headers.raw if n.lower() not in named]
        request.headers = httpx.Headers([*kept, *raw])
        return await self.client(who).send(request)

    async def upload(
        self, data: bytes = b"some words", name: str = "a.txt", *, who: str = "alice"
    ) -> dict[str, Any]:
        with self.preparing():
            answer = await self.client(who).post("/files", params={"filename": name}, content=data)
        assert answer.status_code == 201, answer.text
        file: dict[str, Any] = answer.json()
        return file

    async def process(self, file: Mapping[str, Any], *, who: str = "alice") -> dict[str, Any]:
        """The file as its newest job leaves it."""
        place = f"/files/{file['id']}"
        job = (await self.client(who).get(place)).json()["jobs"][0]
        with self.preparing():
            await self.docstore.background.work(JobId(UUID(job["id"])))
        view: dict[str, Any] = (await self.client(who).get(place)).json()
        return view

    def token(self, who: str = "alice", **changes: Any) -> str:
        """Rightly signed; `changes` to its claims, of which `None` takes one away."""
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": "docstore", "aud": "docstore", "typ": "access", "sub": self.ids[who],
            "ver": 1, "jti": token_hex(16), "iat": now, "exp": now + 600, **changes,
        }  # fmt: skip
        return signed({name: value for name, value in claims.items() if value is not None})

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """What comes to be in here may stay: it is not the attack's doing."""
        before = self.remains()
        yield
        self.wanted |= self.remains() - before

    async def has_left(self, before: Remains) -> Remains:
        """What is there beside `before`, once whatever still ran has had the time to clean up."""
        left = self.remains() - before
        for _ in range(200):
            if left == NOTHING:
                break
            await asyncio.sleep(0.01)
            left = self.remains() - before
        return left

    def remains(self) -> Remains:
        with closing(sqlite3.connect(self.root / "docstore.db")) as db:
            rows = frozenset(
                (table, str(row[0]))
                for table, key in TABLES.items()
                for row in db.execute(f"SELECT {key} FROM {table}")
            )
        folders = os.walk(self.root / "blobs")
        paths = (Path(folder, name) for folder, _, names in folders for name in names)
        return Remains(rows, frozenset(paths))


def signed(claims: Any, header: Any = None, key: str = SECRET) -> str:
    """A JWT of whatever is given, signed with `key` under HS256."""
    parts = ({"alg": "HS256", "typ": "JWT"} if header is None else header, claims)
    head, body = (encoded(part if isinstance(part, bytes) else _json(part)) for part in parts)
    return f"{head}.{body}.{encoded(digest(key.encode(), f'{head}.{body}'.encode(), sha256))}"


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


async def prepared(root: Path, **changes: Any) -> Container:
    """A container on a folder of its own. `argon2`: passwords are hashed as for users."""
    is_slow = changes.pop("argon2", False)
    chosen = {"isolation": "none", "durability": "relaxed", "jwt_secret": SECRET, **UNLIMITED}
    container = Container(settings=Settings(data_dir=root, **{**chosen, **changes}))
    if not is_slow:
        container.passwords.override(providers.Object(MemoryPasswords()))
    await migrate(container)
    return container


@asynccontextmanager
async def opened(
    root: Path, processors: Sequence[Processor] = (), **changes: Any
) -> AsyncIterator[Stand]:
    """A stand with alice and bob, without a socket. `processors` come before docstore's own."""
    container = await prepared(root, **changes)
    if processors:
        container.processors.override(providers.Object([*processors, *container.processors()]))
    app = create_app(container)

    def connect(address: str) -> httpx.ASGITransport:
        return httpx.ASGITransport(app, client=(address, 1))  # type: ignore[arg-type]

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.lifespan())
        if isinstance(jail := container.extractor(), AbstractAsyncContextManager):
            await stack.enter_async_context(jail)
        yield await stack.enter_async_context(peopled(Stand(root, container, connect)))


@asynccontextmanager
async def peopled(stand: Stand) -> AsyncIterator[Stand]:
    """`stand` with alice and bob on it, as long as it stands."""
    stand.clients["anon"] = stand.stranger()
    try:
        for name in ("alice", "bob"):
            await stand.join(name)
        yield stand
    finally:
        for client in stand.clients.values():
            await client.aclose()
