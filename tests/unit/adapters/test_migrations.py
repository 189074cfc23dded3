import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, Connection, func, inspect, make_url, select

from docstore.adapters.persistence.sql import migrating
from docstore.adapters.persistence.sql.inline.database import connect
from docstore.adapters.persistence.sql.tables import file_counts, metadata
from docstore.domain.errors import NewerData
from docstore.domain.lifecycle import FileStatus
from docstore.testing import a_file, a_job, a_step, a_user
from docstore.testing.builders import MOMENT
from docstore.testing.unit_of_work.saving import save

T = TypeVar("T")
TABLES = {"users", "files", "file_counts", "jobs", "idempotency_keys"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def url(tmp_path: Path) -> URL:
    return make_url(f"sqlite:///{tmp_path}/new.db")


async def ask(url: URL, question: Callable[[Connection], T]) -> T:
    return await asyncio.to_thread(migrating._within, url, question)


async def tables(url: URL) -> set[str]:
    return set(await ask(url, lambda db: inspect(db).get_table_names())) - {"alembic_version"}


@pytest.mark.anyio
async def test_up_down_and_up_again(url: URL) -> None:
    assert await migrating.current(url) is None
    await migrating.upgrade(url)
    newest = await migrating.current(url)
    assert newest is not None
    assert await tables(url) == TABLES
    await migrating.downgrade(url, "base")
    assert await migrating.current(url) is None
    assert await tables(url) == set()
    await migrating.upgrade(url)
    assert await migrating.current(url) == newest
    assert await tables(url) == TABLES


@pytest.mark.anyio
async def test_each_step_can_be_undone(url: URL) -> None:
    seen = []
    await migrating.upgrade(url)
    while (revision := await migrating.current(url)) is not None:
        seen.append(revision)
        await migrating.downgrade(url, "-1")
    for revision in reversed(seen):
        await migrating.upgrade(url, "+1")
        assert await migrating.current(url) == revision


@pytest.mark.anyio
async def test_migrating_twice_changes_nothing(url: URL) -> None:
    user = a_user()
    async with connect(str(url)) as database:
        await database.migrate()
        await save(database.begin, user)
        await database.migrate()
        async with database.begin(read_only=True) as tx:
            assert await tx.users.all() == [user]


@pytest.mark.anyio
async def test_two_may_migrate_at_once(url: URL) -> None:
    await asyncio.gather(*(migrating.upgrade(url) for _ in range(3)))
    assert await tables(url) == TABLES


@pytest.mark.anyio
async def test_the_tables_are_those_that_the_code_knows(url: URL, tmp_path: Path) -> None:
    await migrating.upgrade(url)
    drawn = make_url(f"sqlite:///{tmp_path}/drawn.db")
    await ask(drawn, metadata.create_all)
    differences = await ask(
        url, lambda db: compare_metadata(MigrationContext.configure(db), metadata)
    )
    assert differences == []
    for table in TABLES:  # what the comparison above does not look at
        assert await ask(url, rules(table)) == await ask(drawn, rules(table))


def rules(table: str) -> Callable[[Connection], Sequence[Sequence[str]]]:
    def look(db: Connection) -> Sequence[Sequence[str]]:
        there = inspect(db)
        indexes = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ?"
        found: Sequence[Sequence[object]] = (
            there.get_check_constraints(table),
            there.get_unique_constraints(table),
            there.get_foreign_keys(table),
            db.exec_driver_sql(indexes, (table,)).all(),
        )
        return [sorted(map(str, each)) for each in found]

    return look


@pytest.mark.anyio
async def test_files_that_are_there_already_are_counted(url: URL) -> None:
    user = a_user()
    waiting = [a_file(user_id=user.id) for _ in range(3)]
    failed = a_file(user_id=user.id, status=FileStatus.FAILED)
    async with connect(str(url), durable=False) as database:
        await database.migrate()
        await save(database.begin, user, *waiting, failed)
        await migrating.downgrade(url, "0001")
        await migrating.upgrade(url)
        assert await counted(url) == {"uploaded": 3, "failed": 1}


@pytest.mark.anyio
async def test_files_are_counted_as_they_come_change_and_go(url: URL) -> None:
    user, other = a_user(), a_user()
    first, second = (a_file(user_id=user.id) for _ in range(2))
    async with connect(str(url), durable=False) as database:
        await database.migrate()
        await save(database.begin, user, other, first, second, a_file(user_id=other.id))
        async with database.begin() as tx:
            await tx.files.update(first.start(MOMENT))
            await tx.commit()
        assert await counted(url) == {"uploaded": 2, "processing": 1}
        async with database.begin() as tx:
            await tx.files.delete(second.id)
            await tx.files.add(a_file(user_id=user.id))  # this is not committed
        async with database.begin() as tx:
            await tx.users.delete(other.id)
            await tx.files.delete(second.id)
            await tx.commit()
        assert await counted(url) == {"uploaded": 0, "processing": 1}


@pytest.mark.anyio
async def test_jobs_that_are_there_already_have_no_steps(url: URL) -> None:
    user = a_user()
    file = a_file(user_id=user.id)
    job = a_job(file_id=file.id, steps=(a_step("text"),))
    async with connect(str(url), durable=False) as database:
        await database.migrate()
        await save(database.begin, user, file, job)
        await migrating.downgrade(url, "0004")
        await migrating.upgrade(url)
        async with database.begin(read_only=True) as tx:
            assert await tx.jobs.get(job.id) == replace(job, steps=())


async def counted(url: URL) -> dict[str, int]:
    statement = select(file_counts.c.status, func.sum(file_counts.c.total)).group_by("status")
    return dict(await ask(url, lambda db: [(row[0], row[1]) for row in db.execute(statement)]))


@pytest.mark.anyio
async def test_a_database_of_a_newer_version_is_refused(url: URL) -> None:
    async with connect(str(url)) as database:
        await database.migrate()
        with sqlite3.connect(str(url.database)) as raw:
            raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.close()
        with pytest.raises(NewerData, match="9999") as refused:
            await database.migrate()
    assert "\n" not in str(refused.value)
    assert await tables(url) == TABLES


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("users", "email = NULL"),
        ("users", "version = 0"),
        ("users", "token_version = 0"),
        ("files", "status = 'deleted'"),
        ("files", "status = 'failed'"),
        ("files", "error_code = 'corrupt', error_message = ''"),
        ("files", "size = -1"),
        ("files", "version = 0"),
        ("files", "generation = 0"),
        ("files", "user_id = 'nobody'"),
        ("jobs", "status = 'running'"),
        ("jobs", "status = 'processing'"),
        ("jobs", "lease_token = 'x', lease_until = '2026-01-01'"),
        ("jobs", "status = 'processing', lease_token = 'x'"),
        ("jobs", "status = 'processing', lease_until = '2026-01-01'"),
        ("jobs", "job_type = 'dance'"),
        ("jobs", "file_id = NULL"),
        ("jobs", "file_id = 'nothing'"),
        ("jobs", "error_code = 'corrupt'"),
        ("jobs", "attempts = -1"),
        ("jobs", "crash_attempts = -1"),
        ("jobs", "releases = -1"),
        ("jobs", "generation = 0"),
        ("jobs", "version = 0"),
    ],
)
async def test_the_database_refuses_what_the_domain_would(
    url: URL, table: str, change: str
) -> None:
    user = a_user(created_at=MOMENT)
    file = a_file(user_id=user.id)
    async with connect(str(url), durable=False) as database:
        await database.migrate()
        await save(database.begin, user, file, a_job(file_id=file.id))
    raw = sqlite3.connect(str(url.database))
    raw.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(f"UPDATE {table} SET {change}")
    raw.close()


@pytest.mark.anyio
async def test_a_migration_may_build_a_table_anew(url: URL) -> None:
    """On SQLite that drops the old one, which must not take the rows along that refer to it."""
    user = a_user()
    file = a_file(user_id=user.id)
    async with connect(str(url), durable=False) as database:
        await database.migrate()
        await save(database.begin, user, file)
        await ask(url, rebuild_users)
        async with database.begin(read_only=True) as tx:
            assert await tx.files.get(file.id) == file


@pytest.mark.anyio
async def test_a_migration_that_orphans_a_row_is_undone(
    url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = a_user()
    async with connect(str(url), durable=False) as database:
        await database.migrate()
        await save(database.begin, user, a_file(user_id=user.id))
        monkeypatch.setattr(command, "upgrade", orphan)
        with pytest.raises(RuntimeError, match="without its parent"):
            await database.migrate()
        async with database.begin(read_only=True) as tx:
            assert await tx.users.all() == [user]


def orphan(config: Config, _: str) -> None:
    config.attributes["connection"].exec_driver_sql("DELETE FROM users")


def rebuild_users(db: Connection) -> None:
    for statement in (
        "CREATE TABLE made_anew AS SELECT * FROM users",
        "DROP TABLE users",
        "ALTER TABLE made_anew RENAME TO users",
    ):
        db.exec_driver_sql(statement)
