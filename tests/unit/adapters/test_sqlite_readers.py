"""Reads on the event loop: a few connections, each unit of work with its own view of the rows."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from docstore.adapters.persistence.sql import sqlite
from docstore.adapters.persistence.sql.inline import remembered
from docstore.adapters.persistence.sql.inline.database import SqliteDatabase, connect
from docstore.adapters.persistence.sql.inline.reading import ReadTransaction
from docstore.adapters.persistence.sql.tables import users
from docstore.domain.errors import NotFound, Unavailable
from docstore.domain.user import User
from docstore.testing import a_user
from docstore.testing.builders import MOMENT
from docstore.testing.unit_of_work.saving import save

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SqliteDatabase]:
    async with connect(f"sqlite:///{path}", durable=False) as database:
        await database.migrate()
        yield database


async def test_each_sees_the_rows_as_they_were_at_its_first_look(database: SqliteDatabase) -> None:
    first, second = a_user(), a_user()
    await save(database.begin, first)
    async with database.begin(read_only=True) as early, database.begin(read_only=True) as late:
        assert await early.users.all() == [first]
        await save(database.begin, second)
        assert await early.users.all() == [first]
        assert len(await late.users.all()) == 2
        assert await early.users.all() == [first]
    async with database.begin(read_only=True) as tx:
        assert len(await tx.users.all()) == 2


async def test_more_than_there_are_connections_wait_their_turn(database: SqliteDatabase) -> None:
    async def read() -> None:
        async with database.begin(read_only=True) as tx:
            await tx.users.all()
            await asyncio.sleep(0)
            await tx.users.all()

    await asyncio.gather(*(read() for _ in range(sqlite.READERS * 3)))
    assert len(database._readers._idle) == sqlite.READERS


async def test_who_waits_too_long_is_told(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WAIT", 0.01)
    async with AsyncExitStack() as stack:
        for _ in range(sqlite.READERS):
            tx = await stack.enter_async_context(database.begin(read_only=True))
            await tx.users.all()
        with pytest.raises(Unavailable, match="busy"):
            await database.ping()
    await database.ping()


async def test_who_asks_nothing_takes_no_connection(database: SqliteDatabase) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(sqlite.READERS + 1):
            tx = await stack.enter_async_context(database.begin(read_only=True))
            await tx.now()
        await database.ping()


async def test_the_loop_goes_on_during_a_long_question(database: SqliteDatabase) -> None:
    transaction, go_on = ReadTransaction(database._readers), threading.Event()
    statements = await transaction._connection()
    statements.driver.create_function("halt", 0, lambda: go_on.wait(5))
    asking = asyncio.create_task(transaction.fetch(select(func.halt()), {}, long=True))
    await asyncio.sleep(0)
    assert not asking.done()
    go_on.set()
    assert [tuple(row) for row in await asking] == [(1,)]
    await transaction.end()


async def test_a_cancellation_waits_until_the_connection_is_free(database: SqliteDatabase) -> None:
    transaction, go_on = ReadTransaction(database._readers), threading.Event()
    statements = await transaction._connection()
    statements.driver.create_function("halt", 0, lambda: go_on.wait(5))
    asking = asyncio.create_task(transaction.fetch(select(func.halt()), {}, long=True))
    for _ in range(3):
        await asyncio.sleep(0)
        asking.cancel()
    await asyncio.sleep(0)
    assert not asking.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await transaction.end()
    await database.ping()


@pytest.mark.parametrize("long", [False, True])
async def test_a_file_that_another_mends_is_waited_for(
    database: SqliteDatabase, path: Path, long: bool
) -> None:
    """As after a crash: whoever comes first locks the file alone until it is whole."""
    await database.__aexit__(None, None, None)
    database._readers.threads = ThreadPoolExecutor(1)  # those of the database ended with it
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        other.execute("BEGIN EXCLUSIVE")
        transaction = ReadTransaction(database._readers)
        asking = asyncio.create_task(transaction.fetch(select(users), {}, long=long))
        await asyncio.sleep(0.002)
        assert not asking.done()
    assert await asking == []
    await transaction.end()
    database._readers.threads.shutdown()
    database._readers.close()


class TestUsersThatAreRemembered:
    """Whoever reads one again gets what is there now, whoever changed it."""

    async def test_a_change_of_this_process_is_seen(self, database: SqliteDatabase) -> None:
        user = a_user()
        await save(database.begin, user)
        for _ in range(3):
            assert await read(database, user) == user
            user = user.rehashed("another")
            await change(database, user)
        assert await read(database, user) == user

    async def test_a_change_of_another_process_is_seen(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        user = a_user()
        await save(database.begin, user)
        assert await read(database, user) == user
        async with connect(f"sqlite:///{path}", durable=False) as other:
            await change(other, user.disable(MOMENT))
        assert await read(database, user) == user.disable(MOMENT)

    async def test_one_that_is_deleted_is_not_found(self, database: SqliteDatabase) -> None:
        user = a_user()
        await save(database.begin, user)
        assert await read(database, user) == user
        async with database.begin() as tx:
            await tx.users.delete(user.id)
            await tx.commit()
        with pytest.raises(NotFound):
            await read(database, user)

    async def test_one_that_comes_after_it_was_asked_for_is_found(
        self, database: SqliteDatabase
    ) -> None:
        user = a_user()
        with pytest.raises(NotFound):
            await read(database, user)
        await save(database.begin, user)
        assert await read(database, user) == user

    async def test_what_is_read_with_one_is_as_it_was_then(self, database: SqliteDatabase) -> None:
        user = a_user()
        await save(database.begin, user)
        assert await read(database, user) == user
        async with database.begin(read_only=True) as tx:
            assert await tx.users.get(user.id) == user  # remembered
            await save(database.begin, a_user())
            assert await tx.users.all() == [user]
            await change(database, user.disable(MOMENT))
            assert await tx.users.get(user.id) == user

    async def test_they_are_not_read_again_while_nothing_changes(
        self, database: SqliteDatabase
    ) -> None:
        user = a_user()
        await save(database.begin, user)
        await read(database, user)
        (connection,) = database._readers._idle
        told: list[str] = []
        connection.driver.set_trace_callback(told.append)
        assert await read(database, user) == user
        assert not [statement for statement in told if "FROM users" in statement]

    async def test_only_so_many_are_kept(
        self, database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(remembered, "KEPT", 3)
        many = [a_user() for _ in range(8)]
        await save(database.begin, *many)
        for user in many:
            assert await read(database, user) == user
        (connection,) = database._readers._idle
        assert len(connection._users) <= 3


async def read(database: SqliteDatabase, user: User) -> User:
    async with database.begin(read_only=True) as tx:
        return await tx.users.get(user.id)


async def change(database: SqliteDatabase, user: User) -> None:
    async with database.begin() as tx:
        await tx.users.update(user)
        await tx.commit()
