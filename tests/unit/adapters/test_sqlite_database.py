import asyncio
import sqlite3
import stat
import types
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite as dialect

from docstore.adapters.persistence.sql import files, jobs, sqlite, upkeep
from docstore.adapters.persistence.sql.database import SqlDatabase, connect
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import Conflict, Damaged, OutOfSpace, Unavailable
from docstore.domain.ids import LeaseToken
from docstore.testing import UnitOfWorkContract, a_purge, a_user
from docstore.testing.builders import MOMENT
from docstore.testing.unit_of_work.saving import save


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "100%.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SqlDatabase]:
    async with connect(f"sqlite+aiosqlite:///{path}", durable=False) as database:
        await database.migrate()
        yield database


class TestSqliteDatabase(UnitOfWorkContract):
    @pytest.fixture
    async def begin(self, database: SqlDatabase) -> Begin:
        return database.begin


@pytest.mark.anyio
class TestTheFile:
    async def test_only_its_owner_may_read_it(self, database: SqlDatabase, path: Path) -> None:
        await save(database.begin, a_user())
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes == dict.fromkeys(("100%.db", "100%.db-wal", "100%.db-shm"), 0o600)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    async def test_what_is_committed_is_there_after_reopening(
        self, database: SqlDatabase, path: Path
    ) -> None:
        user = a_user()
        await save(database.begin, user)
        async with connect(f"sqlite+aiosqlite:///{path}") as again:
            await again.migrate()
            async with again.begin(read_only=True) as tx:
                assert await tx.users.all() == [user]

    @pytest.mark.parametrize(("durable", "expected"), [(True, 2), (False, 1)])
    async def test_a_durable_commit_waits_for_the_disk(
        self, path: Path, durable: bool, expected: int
    ) -> None:
        url = f"sqlite+aiosqlite:///{path}"
        async with connect(url, durable=durable) as database, database._writer.connect() as db:
            assert (await db.exec_driver_sql("PRAGMA synchronous")).scalar() == expected
            assert (await db.exec_driver_sql("PRAGMA journal_mode")).scalar() == "wal"

    async def test_one_that_cannot_be_made_is_unavailable(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        for impossible in (tmp_path / "file" / "x.db", tmp_path):
            with pytest.raises(Unavailable):
                async with connect(f"sqlite+aiosqlite:///{impossible}"):
                    pass

    async def test_one_that_is_no_database_is_damaged(self, tmp_path: Path) -> None:
        (tmp_path / "x.db").write_bytes(b"no database " * 100)
        with pytest.raises(Damaged):
            async with connect(f"sqlite+aiosqlite:///{tmp_path}/x.db"):
                pass

    @pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"])
    def test_it_needs_a_file(self, url: str) -> None:
        with pytest.raises(ValueError, match="names no file"):
            connect(url)

    async def test_ping_answers_or_is_unavailable(self, database: SqlDatabase, path: Path) -> None:
        await database.ping()
        with sqlite3.connect(path) as raw:
            raw.executescript("DROP TABLE users; DROP TABLE files; DROP TABLE jobs")
        raw.close()
        with pytest.raises(Unavailable):
            await database.ping()


@pytest.mark.anyio
class TestWhenItCannotAnswer:
    async def test_a_writer_that_waits_too_long_is_unavailable(
        self, database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database._writer.pool, "_timeout", 0.01)
        async with database.begin():
            with pytest.raises(Unavailable):
                async with database.begin():
                    pass
        await save(database.begin, a_user())

    async def test_a_lock_held_by_another_process_is_unavailable(
        self, database: SqlDatabase, path: Path
    ) -> None:
        async with database._writer.connect() as db:
            await db.exec_driver_sql("PRAGMA busy_timeout = 10")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            await save(database.begin, a_user())
        async with database.begin(read_only=True) as tx:
            assert await tx.users.all() == []
        other.close()
        await save(database.begin, a_user())

    async def test_a_full_disk_is_out_of_space_until_it_is_not(self, database: SqlDatabase) -> None:
        async with database._writer.connect() as db:
            pages = (await db.exec_driver_sql("PRAGMA page_count")).scalar()
            await db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OutOfSpace):
            await save(database.begin, *(a_user(password_hash="x" * 4096) for _ in range(9)))
        async with database._writer.connect() as db:
            await db.exec_driver_sql("PRAGMA max_page_count = 1000000")
        await save(database.begin, a_user())


@pytest.mark.anyio
class TestTwoProcesses:
    """Two databases on one file share no more than two processes do."""

    @pytest.fixture
    async def other(self, database: SqlDatabase, path: Path) -> AsyncIterator[SqlDatabase]:
        async with connect(f"sqlite+aiosqlite:///{path}", durable=False) as other:
            yield other

    async def test_of_those_who_claim_a_job_one_wins(
        self, database: SqlDatabase, other: SqlDatabase
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
        self, database: SqlDatabase, other: SqlDatabase
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
    async def test_a_cancelled_transaction_is_rolled_back(self, database: SqlDatabase) -> None:
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
        self, database: SqlDatabase
    ) -> None:
        async def add_two() -> None:
            async with database.begin() as tx:
                await tx.users.add(a_user())
                await tx.users.add(a_user())
                await tx.commit()

        assert await cancelled_at_each_wait(add_two) > 10
        await save(database.begin, a_user())
        async with database.begin(read_only=True) as tx:
            assert len(await tx.users.all()) % 2 == 1

    async def test_cancelled_at_any_wait_a_reader_does_no_harm(self, database: SqlDatabase) -> None:
        async def read() -> None:
            async with database.begin(read_only=True) as tx:
                await tx.users.all()
                await tx.users.all()

        assert await cancelled_at_each_wait(read) > 10
        async with AsyncExitStack() as stack:  # no connection is lost
            for _ in range(sqlite.READERS):
                tx = await stack.enter_async_context(database.begin(read_only=True))
                assert await tx.users.all() == []

    async def test_cancelled_while_waiting_its_turn(self, database: SqlDatabase) -> None:
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


async def cancelled_at_each_wait(work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run `work` cancelled at its first wait, at its second, and so on, until it has no more."""

    async def cancelled() -> None:
        await _cancelled_at(wait, work())

    for wait in count(1):
        ended = await asyncio.gather(cancelled(), return_exceptions=True)
        if ended[0] is None:
            return wait
    raise AssertionError


@types.coroutine
def _cancelled_at(wait: int, work: Coroutine[Any, Any, None]) -> Generator[Any, None, None]:
    thrown: BaseException | None = None
    for waits in count(1):
        try:
            future = work.send(None) if thrown is None else work.throw(thrown)
        except StopIteration:
            return
        task = asyncio.current_task()
        if waits == wait and task is not None:
            task.cancel()
        try:
            yield future
            thrown = None
        except BaseException as error:
            thrown = error


HOT = [
    (jobs.DUE, "ix_jobs_queued"),
    (jobs.OF_FILE, "file_id=?"),
    (upkeep.LAPSED, "ix_jobs_leased"),
    (upkeep.HELD_BY, "ix_jobs_leased"),
    (upkeep.STRANDED, "ix_files_unfinished"),
    (upkeep.STRANDED, "file_id=?"),
    (upkeep.FORGET_PURGES, "ix_jobs_purged"),
    (files.PAGE, "ix_files_listing (user_id=?)"),
    (files.COUNT, "ix_files_listing (user_id=?)"),
    (files.OWNED_BY_ID, "(id=?)"),
    (files.OWNED_BY_KEY, "(key=?)"),
    (files.AFTER, "(id>?)"),
]


@pytest.mark.anyio
class TestPlans:
    @pytest.mark.parametrize(("statement", "index"), HOT)
    async def test_hot_questions_use_an_index(
        self, database: SqlDatabase, path: Path, statement: ClauseElement, index: str
    ) -> None:
        plan = explain(path, statement)
        assert index in plan
        assert "SCAN jobs\n" not in plan
        assert "SCAN files\n" not in plan

    @pytest.mark.parametrize("statement", [files.PAGE, files.AFTER, upkeep.STRANDED])
    async def test_an_index_gives_the_order_too(
        self, database: SqlDatabase, path: Path, statement: ClauseElement
    ) -> None:
        assert "TEMP B-TREE" not in explain(path, statement)


def explain(path: Path, statement: ClauseElement) -> str:
    compiled = statement.compile(dialect=dialect.dialect())
    raw = sqlite3.connect(path)
    blanks = [None] * str(compiled).count("?")
    rows = raw.execute(f"EXPLAIN QUERY PLAN {compiled}", blanks).fetchall()
    raw.close()
    return "".join(f"{row[3]}\n" for row in rows)
