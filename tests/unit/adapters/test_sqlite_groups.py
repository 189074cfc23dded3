"""Transactions that end in one COMMIT: nobody's fate is another's, but for the disk's."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from docstore.adapters.persistence.sql.inline import writer as writing
from docstore.adapters.persistence.sql.inline.database import SqliteDatabase, connect
from docstore.domain.errors import AlreadyExists, OutOfSpace, Unavailable
from docstore.domain.user import User
from docstore.testing import a_file, a_user
from docstore.testing.unit_of_work.saving import save
from unit.adapters.sqlite_outside import Sick, emails, locked, stored

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture(params=[True, False], ids=["durable", "relaxed"])
async def database(request: pytest.FixtureRequest, path: Path) -> AsyncIterator[SqliteDatabase]:
    async with connect(f"sqlite:///{path}", durable=request.param) as database:
        await database.migrate()
        yield database


@pytest.fixture
async def durable(path: Path) -> AsyncIterator[SqliteDatabase]:
    """Where each commit waits for the disk, so that others come meanwhile."""
    async with connect(f"sqlite:///{path}") as database:
        await database.migrate()
        yield database


@pytest.fixture
async def said(database: SqliteDatabase) -> list[str]:
    """What the writer's connection is told about transactions."""
    said: list[str] = []
    words = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")

    def note(statement: str) -> None:
        if statement.startswith(words):
            said.append(statement)

    database._writer._raw.set_trace_callback(note)
    return said


async def settled(*work: asyncio.Task[None]) -> Sequence[BaseException | None]:
    return await asyncio.gather(*work, return_exceptions=True)


async def lead(database: SqliteDatabase, user: User) -> None:
    """Save, and let others come to stand in line before the end."""
    async with database.begin() as tx:
        await tx.users.add(user)
        await asyncio.sleep(0)
        await tx.commit()


def saving(database: SqliteDatabase, *users: User) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(save(database.begin, user)) for user in users]


class TestTogether:
    async def test_all_who_are_there_share_one_commit(
        self, database: SqliteDatabase, path: Path, said: list[str]
    ) -> None:
        first, *others = users = [a_user() for _ in range(20)]
        leading = asyncio.create_task(lead(database, first))
        await asyncio.gather(leading, *saving(database, *others))
        assert said.count("COMMIT") == 1
        assert stored(path) == emails(*users)

    async def test_where_no_disk_is_waited_for_each_ends_at_once(self, path: Path) -> None:
        """Else the file would be locked until the loop's next turn."""
        async with connect(f"sqlite:///{path}", durable=False) as database:
            await database.migrate()
            users = [a_user() for _ in range(3)]
            for user in users:
                (work,) = saving(database, user)
                await asyncio.sleep(0)
                assert not database._writer._raw.in_transaction
                await work
            assert stored(path) == emails(*users)

    async def test_a_commit_that_returned_is_seen_by_everybody(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        async def check(user: User) -> None:
            await save(database.begin, user)
            assert user.email in stored(path)
            async with database.begin(read_only=True) as tx:
                assert await tx.users.get(user.id) == user

        await asyncio.gather(*(check(a_user()) for _ in range(10)))

    async def test_nobody_else_sees_what_was_not_committed(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        async with database.begin() as tx:
            await tx.users.add(a_user())
            assert stored(path) == []

    async def test_who_comes_during_a_commit_is_in_the_next(
        self, durable: SqliteDatabase, path: Path
    ) -> None:
        said: list[str] = []
        durable._writer._raw.set_trace_callback(said.append)
        first, *late = [a_user() for _ in range(5)]
        work = saving(durable, first)
        await asyncio.sleep(0)
        while durable._writer._group is not None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.gather(*work, *saving(durable, *late))
        assert said.count("COMMIT") == 2
        assert stored(path) == emails(first, *late)

    async def test_who_changes_nothing_leaves_no_lock(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        async with database.begin() as tx:
            assert await tx.users.all() == []
        await database._writer.settled()
        with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")


class TestApart:
    async def test_an_error_of_one_is_its_own(self, database: SqliteDatabase, path: Path) -> None:
        first, second, third = (a_user() for _ in range(3))
        double = a_user(email=first.email)
        ended = await settled(*saving(database, first, double, second, third))
        assert [type(end) for end in ended] == [type(None), AlreadyExists, type(None), type(None)]
        assert stored(path) == emails(first, second, third)

    async def test_all_that_one_did_is_undone(self, database: SqliteDatabase, path: Path) -> None:
        kept, gone = a_user(), a_user()

        async def fail() -> None:
            async with database.begin() as tx:
                await tx.users.add(gone)
                await tx.files.add(a_file(user_id=gone.id))
                raise ZeroDivisionError

        work = [*saving(database, kept), asyncio.create_task(fail()), *saving(database, a_user())]
        ended = await settled(*work)
        assert [type(end) for end in ended] == [type(None), ZeroDivisionError, type(None)]
        assert kept.email in stored(path)
        assert gone.email not in stored(path)

    async def test_a_cancelled_one_is_undone_alone(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        gone, kept = a_user(), a_user()
        inside = asyncio.Event()

        async def stay() -> None:
            async with database.begin() as tx:
                await tx.users.add(gone)
                inside.set()
                await asyncio.Event().wait()

        staying = asyncio.create_task(stay())
        others = saving(database, kept)
        await inside.wait()
        staying.cancel()
        ended = await settled(staying, *others)
        assert [type(end) for end in ended] == [asyncio.CancelledError, type(None)]
        assert stored(path) == emails(kept)

    async def test_who_is_cancelled_while_the_group_ends_harms_nobody(
        self, durable: SqliteDatabase, path: Path
    ) -> None:
        users = [a_user() for _ in range(3)]
        work = saving(durable, *users)
        await asyncio.sleep(0)  # each is at its commit now
        work[0].cancel()
        ended = await settled(*work)
        assert isinstance(ended[0], asyncio.CancelledError)
        assert ended[1:] == [None, None]
        assert set(emails(*users[1:])) <= set(stored(path))

    async def test_one_that_does_nothing_is_undone_after_a_while(
        self, durable: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "PATIENCE", 0.01)
        first, last = a_user(), a_user()

        async def stall() -> None:
            async with durable.begin() as tx:
                await tx.users.add(a_user())
                await asyncio.gather(*others)
                await tx.commit()

        others = saving(durable, first)
        stalling = asyncio.create_task(stall())
        others += saving(durable, last)
        (ended,) = await settled(stalling)
        assert isinstance(ended, Unavailable)
        assert stored(path) == emails(first, last)

    async def test_one_that_works_for_long_is_left_alone(
        self, database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "PATIENCE", 0.001)
        user = a_user()
        slow = threading.Event()
        database._writer._raw.create_function("halt", 0, lambda: slow.wait(0.1))

        async def work() -> None:
            async with database.begin() as tx:
                await tx._transaction.fetch(select(func.halt()), {}, long=True)
                await tx.users.add(user)
                await tx.commit()

        first = a_user()
        await asyncio.gather(*saving(database, first), work())
        assert stored(path) == emails(user, first)


class TestWhenTheDiskSaysNo:
    async def test_a_commit_that_fails_fails_for_all(
        self, database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database._writer, "_raw", Sick(database._writer._raw, "COMMIT"))
        ended = await settled(*saving(database, *(a_user() for _ in range(3))))
        assert [type(end) for end in ended] == [Unavailable] * 3
        monkeypatch.undo()
        assert stored(path) == []
        user = a_user()
        await save(database.begin, user)
        assert stored(path) == emails(user)

    async def test_a_full_disk_fails_all_who_wait_and_no_other(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        raw = database._writer._raw
        (pages,) = raw.execute("PRAGMA page_count").fetchone()
        raw.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        big = [a_user(password_hash="x" * 9000) for _ in range(3)]
        ended = await settled(*saving(database, a_user(), *big))
        assert {type(end) for end in ended[1:]} == {OutOfSpace}
        raw.execute("PRAGMA max_page_count = 1000000").fetchall()
        before = stored(path)
        assert len(before) == (ended[0] is None)
        await save(database.begin, *big)
        assert len(stored(path)) == len(before) + 3

    async def test_what_cannot_be_undone_is_not_committed(
        self, durable: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail() -> None:
            async with durable.begin() as tx:
                await tx.users.add(a_user())

        monkeypatch.setattr(durable._writer, "_raw", Sick(durable._writer._raw, "ROLLBACK TO"))
        ended = await settled(*saving(durable, a_user()), asyncio.create_task(fail()))
        assert [type(end) for end in ended] == [Unavailable] * 2
        monkeypatch.undo()
        assert stored(path) == []
        await save(durable.begin, a_user())


class TestLocksOfOthers:
    async def test_the_loop_goes_on_while_one_is_waited_for(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        with locked(path):
            work = saving(database, *(a_user() for _ in range(3)))
            for _ in range(5):
                await asyncio.sleep(0.001)
            assert not any(task.done() for task in work)
        await asyncio.gather(*work)

    async def test_who_waits_for_one_can_be_cancelled(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        with locked(path):
            work = saving(database, a_user(), a_user())
            await asyncio.sleep(0.001)
            work[0].cancel()
        ended = await settled(*work)
        assert [type(end) for end in ended] == [asyncio.CancelledError, type(None)]


class TestTheLog:
    async def test_it_is_put_in_its_place_by_a_thread(
        self, database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "CHECKPOINT_AFTER", 100)
        for _ in range(20):
            await save(database.begin, a_user(password_hash="x" * 4000))
        await database._writer.settled()
        assert path.stat().st_size > 10 * 4000  # noqa: ASYNC240
        assert path.with_name("x.db-wal").stat().st_size < 200 * 4096

    async def test_it_is_all_in_its_place_after_closing(self, path: Path) -> None:
        user = a_user()
        async with connect(f"sqlite:///{path}") as database:
            await database.migrate()
            await save(database.begin, user)
        assert [file.name for file in path.parent.iterdir()] == ["x.db"]
        assert stored(path) == emails(user)

    async def test_closing_waits_for_a_group_on_its_way(self, path: Path) -> None:
        user = a_user()
        async with connect(f"sqlite:///{path}") as database:
            await database.migrate()
            (work,) = saving(database, user)
            await asyncio.sleep(0)
        await work
        assert stored(path) == emails(user)
