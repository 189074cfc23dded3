import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import pytest

from cancelling import cancelled_at_each_wait
from docstore.adapters.persistence.sql import aiosqlite, sqlite
from docstore.adapters.persistence.sql.aiosqlite import AiosqliteDatabase
from docstore.adapters.persistence.sql.inline import database as inline
from docstore.adapters.persistence.sql.inline.database import SqliteDatabase
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import Conflict, Damaged, OutOfSpace, Unavailable
from docstore.domain.ids import LeaseToken
from docstore.testing import UnitOfWorkContract, a_purge, a_user
from docstore.testing.builders import MOMENT
from docstore.testing.unit_of_work.saving import save

Database: TypeAlias = SqliteDatabase | AiosqliteDatabase


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "100%.db"


@pytest.fixture(params=["sqlite", "sqlite+aiosqlite"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def database(scheme: str, path: Path) -> AsyncIterator[Database]:
    async with connect(f"{scheme}:///{path}", durable=False) as database:
        await database.migrate()
        yield database


def connect(url: str, *, durable: bool = True) -> Database:
    if url.startswith("sqlite:"):
        return inline.connect(url, durable=durable)
    return aiosqlite.connect(url, durable=durable)


async def pragma(database: Database, text: str) -> object:
    """The answer of the connection that writes."""
    if isinstance(database, SqliteDatabase):
        return database._writer.db.exec_driver_sql(f"PRAGMA {text}").scalar()
    async with database._writer.connect() as db:
        return (await db.exec_driver_sql(f"PRAGMA {text}")).scalar()


async def hasten(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits longer than a moment for the turn to write, or for a lock."""
    monkeypatch.setattr(sqlite, "WAIT", 0.01)
    if isinstance(database, AiosqliteDatabase):
        monkeypatch.setattr(database._writer.pool, "_timeout", 0.01)
        await pragma(database, "busy_timeout = 10")


class TestSqliteDatabase(UnitOfWorkContract):
    @pytest.fixture
    async def begin(self, database: Database) -> Begin:
        return database.begin


@pytest.mark.anyio
class TestTheFile:
    async def test_only_its_owner_may_read_it(self, database: Database, path: Path) -> None:
        await save(database.begin, a_user())
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes == dict.fromkeys(("100%.db", "100%.db-wal", "100%.db-shm"), 0o600)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    async def test_what_is_committed_is_there_after_reopening(
        self, database: Database, scheme: str, path: Path
    ) -> None:
        user = a_user()
        await save(database.begin, user)
        async with connect(f"{scheme}:///{path}") as again:
            await again.migrate()
            async with again.begin(read_only=True) as tx:
                assert await tx.users.all() == [user]

    async def test_it_can_be_opened_once_more(self, scheme: str, path: Path) -> None:
        database = connect(f"{scheme}:///{path}")
        async with database:
            await database.migrate()
        async with database:
            await save(database.begin, a_user())
            async with database.begin(read_only=True) as tx:
                assert len(await tx.users.all()) == 1

    @pytest.mark.parametrize(("durable", "expected"), [(True, 2), (False, 1)])
    async def test_a_durable_commit_waits_for_the_disk(
        self, scheme: str, path: Path, durable: bool, expected: int
    ) -> None:
        async with connect(f"{scheme}:///{path}", durable=durable) as database:
            assert await pragma(database, "synchronous") == expected
            assert await pragma(database, "journal_mode") == "wal"

    async def test_one_that_cannot_be_made_is_unavailable(
        self, scheme: str, tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()
        for impossible in (tmp_path / "file" / "x.db", tmp_path):
            with pytest.raises(Unavailable):
                async with connect(f"{scheme}:///{impossible}"):
                    pass

    async def test_one_that_is_no_database_is_damaged(self, scheme: str, tmp_path: Path) -> None:
        (tmp_path / "x.db").write_bytes(b"no database " * 100)
        with pytest.raises(Damaged):
            async with connect(f"{scheme}:///{tmp_path}/x.db"):
                pass

    @pytest.mark.parametrize("rest", ["://", ":///:memory:"])
    def test_it_needs_a_file(self, scheme: str, rest: str) -> None:
        with pytest.raises(ValueError, match="names no file"):
            connect(scheme + rest)

    async def test_ping_answers_or_is_unavailable(self, database: Database, path: Path) -> None:
        await database.ping()
        with sqlite3.connect(path) as raw:
            raw.executescript("DROP TABLE users; DROP TABLE files; DROP TABLE jobs")
        raw.close()
        with pytest.raises(Unavailable):
            await database.ping()


@pytest.mark.anyio
class TestWhenItCannotAnswer:
    async def test_a_writer_that_waits_too_long_is_unavailable(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await hasten(database, monkeypatch)
        async with database.begin():
            with pytest.raises(Unavailable):
                async with database.begin():
                    pass
        await save(database.begin, a_user())

    async def test_a_lock_held_by_another_process_is_unavailable(
        self, database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await hasten(database, monkeypatch)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            await save(database.begin, a_user())
        async with database.begin(read_only=True) as tx:
            assert await tx.users.all() == []
        other.close()
        await save(database.begin, a_user())

    async def test_a_full_disk_is_out_of_space_until_it_is_not(self, database: Database) -> None:
        pages = await pragma(database, "page_count")
        await pragma(database, f"max_page_count = {pages}")
        with pytest.raises(OutOfSpace):
            await save(database.begin, *(a_user(password_hash="x" * 4096) for _ in range(9)))
        await pragma(database, "max_page_count = 1000000")
        await save(database.begin, a_user())


@pytest.mark.anyio
class TestTwoProcesses:
    """Two databases on one file share no more than two processes do."""

    @pytest.fixture
    async def other(self, database: Database, scheme: str, path: Path) -> AsyncIterator[Database]:
        async with connect(f"{scheme}:///{path}", durable=False) as other:
            yield other

    async def test_of_those_who_claim_a_job_one_wins(
        self, database: Database, other: Database
    ) -> None:
        work = [a_purge() for _ in range(10)]
        await save(database.begin, *work)
        won: list[LeaseToken] = []

        async def claim(begin: Begin) -> None:
            token = LeaseToken(uuid4())
            for job in work:
                started = job.start(
                    now=MOMENT, lease=timedelta(seconds=30), token=token, worker="w"
                )
                with suppress(Conflict):
                    async with begin() as tx:
                        await tx.jobs.update(started)
                        await tx.commit()
                    won.append(token)

        await asyncio.gather(*(claim(db.begin) for db in (database, other) * 2))
        assert len(won) == len(work)
        async with other.begin(read_only=True) as tx:
            held = [(await tx.jobs.get(job.id)).lease_token for job in work]
        assert sorted(won, key=str) == sorted(held, key=str)

    async def test_reading_and_then_writing_never_meets_a_lock(
        self, database: Database, other: Database
    ) -> None:
        user = a_user(password_hash="")
        await save(database.begin, user)

        async def append(begin: Begin) -> None:
            for _ in range(10):
                async with begin() as tx:
                    stored = await tx.users.get(user.id)
                    await tx.users.update(stored.rehashed(f"{stored.password_hash}x"))
                    await tx.commit()

        await asyncio.gather(*(append(db.begin) for db in (database, other) * 2))
        async with other.begin(read_only=True) as tx:
            assert (await tx.users.get(user.id)).password_hash == "x" * 40


@pytest.mark.anyio
class TestCancellation:
    async def test_a_cancelled_transaction_is_rolled_back(self, database: Database) -> None:
        inside = asyncio.Event()

        async def never_ends() -> None:
            async with database.begin() as tx:
                await tx.users.add(a_user())
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(never_ends())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        user = a_user()
        await save(database.begin, user)
        async with database.begin(read_only=True) as tx:
            assert await tx.users.all() == [user]

    async def test_cancelled_at_any_wait_a_writer_leaves_all_or_nothing(
        self, database: Database
    ) -> None:
        async def add_two() -> None:
            async with database.begin() as tx:
                await tx.users.add(a_user())
                await asyncio.sleep(0)
                await tx.users.add(a_user())
                await tx.commit()

        assert await cancelled_at_each_wait(add_two) > 1
        await save(database.begin, a_user())
        async with database.begin(read_only=True) as tx:
            assert len(await tx.users.all()) % 2 == 1

    async def test_cancelled_at_any_wait_a_reader_does_no_harm(self, database: Database) -> None:
        async def read() -> None:
            async with database.begin(read_only=True) as tx:
                await tx.users.all()
                await tx.users.all()

        assert await cancelled_at_each_wait(read) > 1
        async with AsyncExitStack() as stack:  # no connection is lost
            for _ in range(sqlite.READERS):
                tx = await stack.enter_async_context(database.begin(read_only=True))
                assert await tx.users.all() == []

    async def test_cancelled_while_waiting_its_turn(self, database: Database) -> None:
        async with database.begin() as tx:
            waiting = [asyncio.create_task(save(database.begin, a_user())) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()
            waiting[2].cancel()
            await tx.commit()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(end) for end in ended] == [
            asyncio.CancelledError,
            type(None),
            asyncio.CancelledError,
        ]
        await save(database.begin, a_user())
