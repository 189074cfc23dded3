"""An upload that cannot be recorded leaves nothing behind, also where the commit says so."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from docstore.adapters.persistence.sql import sqlite
from docstore.application.ports.unit_of_work import Begin
from docstore.application.uploading import Part
from docstore.container import Container, migrate, running
from docstore.domain.errors import NotAuthenticated, Unavailable
from docstore.domain.ids import UserId
from docstore.domain.user import User
from docstore.settings import Settings
from docstore.testing import a_user
from docstore.testing.unit_of_work.saving import save
from unit.adapters.sqlite_outside import locked

pytestmark = pytest.mark.anyio

FILES = 3  # of each upload


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["sqlite", "memory"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture
async def container(scheme: str, path: Path) -> AsyncIterator[Container]:
    chosen: dict[str, Any] = {
        **dict.fromkeys(("database_url", "storage_url", "queue_url"), "memory://"),
        **({"database_url": f"sqlite:///{path}"} if scheme == "sqlite" else {}),
    }
    container = Container(settings=Settings(isolation="none", data_dir=path.parent, **chosen))
    await migrate(container)
    async with running(container):
        yield container


@pytest.fixture
async def owner(container: Container) -> User:
    user = a_user()
    begin: Begin = container.database().begin
    await save(begin, user)
    return user


async def parts() -> AsyncIterator[Part]:
    for number in range(FILES):
        yield Part(name=f"{number}.txt", body=body(number))


async def body(number: int) -> AsyncIterator[bytes]:
    yield b"what was sent, %d" % number


async def upload(container: Container, owner: UserId) -> None:
    await container.docstore().upload(owner=owner, parts=parts())


async def staged(container: Container) -> list[str]:
    return [blob.key async for blob in container.blobs().list("")]


async def test_of_somebody_who_is_gone(container: Container) -> None:
    with pytest.raises(NotAuthenticated):
        await upload(container, UserId(uuid4()))
    assert await staged(container) == []


@pytest.mark.parametrize("scheme", ["sqlite"], indirect=True)
async def test_while_another_process_holds_the_database(
    container: Container, owner: User, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WAIT", 0.05)
    with locked(path), pytest.raises(Unavailable):
        await upload(container, owner.id)
    assert await staged(container) == []


@pytest.mark.parametrize("scheme", ["sqlite"], indirect=True)
async def test_that_is_abandoned_while_it_waits_for_the_database(
    container: Container, owner: User, path: Path
) -> None:
    with locked(path):
        task = asyncio.create_task(upload(container, owner.id))
        for _ in range(50):  # nothing here waits for anything but a turn of the loop
            await asyncio.sleep(0)
        assert len(await staged(container)) == FILES
        assert container.database()._batches._waiting
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await staged(container) == []


async def test_what_is_recorded_stays(container: Container, owner: User) -> None:
    await upload(container, owner.id)
    assert len(await staged(container)) == FILES
