import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, Connection, func, inspect, select, text
from sqlalchemy.exc import IntegrityError

from docstore.adapters.persistence.sql import migrating
from docstore.adapters.persistence.sql.postgresql import engine
from docstore.adapters.persistence.sql.postgresql import migrating as postgresql_migrating
from docstore.adapters.persistence.sql.postgresql.database import PostgresqlDatabase, connect
from docstore.adapters.persistence.sql.tables import file_counts, metadata
from docstore.domain.errors import NewerData, Unavailable
from docstore.domain.lifecycle import FileStatus
from docstore.testing import a_file, a_job, a_user
from docstore.testing.builders import MOMENT
from docstore.testing.unit_of_work.saving import save
from integration.servers import PROGRAM
from integration.services.postgresql import Postgresql

pytestmark = pytest.mark.anyio

T = TypeVar("T")


@pytest.fixture
def empty(server: Postgresql) -> URL:
    return engine.url_of(server.new_database())


async def ask(url: URL, question: Callable[[Connection], T]) -> T:
    return await asyncio.to_thread(migrating._within, url, question)


async def tables(url: URL) -> set[str]:
    return set(await ask(url, lambda db: inspect(db).get_table_names())) - {"alembic_version"}


async def test_each_step_can_be_undone_and_done_again(empty: URL) -> None:
    seen = []
    await migrating.upgrade(empty)
    while (revision := await migrating.current(empty)) is not None:
        seen.append(revision)
        await migrating.downgrade(empty, "-1")
    assert await tables(empty) == set()
    assert await ask(empty, functions) == []
    for revision in reversed(seen):
        await migrating.upgrade(empty, "+1")
        assert await migrating.current(empty) == revision
    assert await tables(empty) == set(metadata.tables)


def functions(db: Connection) -> Sequence[Any]:
    statement = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    return db.execute(text(statement)).all()


async def test_what_is_due_is_what_migrate_brings(empty: URL) -> None:
    async with connect(str(empty)) as database:
        every = await database.due_migrations()
        assert every == sorted(every) != []
        await database.migrate()
        assert await database.due_migrations() == []


async def test_of_many_replicas_that_start_at_once_one_migrates(empty: URL) -> None:
    databases = [connect(str(empty)) for _ in range(5)]
    await asyncio.gather(*(database.migrate() for database in databases))
    assert await tables(empty) == set(metadata.tables)


async def test_another_process_that_migrates_is_waited_for(
    empty: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = engine.single(empty, engine.options())
    async with other.begin() as db:
        await db.execute(text(f"SELECT pg_advisory_xact_lock({postgresql_migrating._LOCK})"))
        monkeypatch.setattr(postgresql_migrating, "TURN", 0.05)
        async with connect(str(empty)) as database:
            with pytest.raises(Unavailable):  # not for ever
                await database.migrate()
            assert await database.due_migrations() != []  # to look, nobody waits
        monkeypatch.undo()
        waiting = asyncio.create_task(migrating.upgrade(empty))
        assert not (await asyncio.wait({waiting}, timeout=0.2))[0]
    await waiting
    await other.dispose()


@asynccontextmanager
async def somebody_migrating(url: URL) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Another replica, until the end. Gives what waits until so many wait for it."""
    other = engine.single(url, engine.options())
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    async with other.begin() as db:
        await db.execute(text(f"SELECT pg_advisory_xact_lock({postgresql_migrating._LOCK})"))

        async def until(number: int) -> None:
            async with asyncio.timeout(60):
                while (await db.execute(waiting)).scalar_one() != number:
                    await db.execute(text("SELECT pg_sleep(0.01)"))

        yield until
    await other.dispose()


async def test_who_waits_for_another_can_be_told_to_stop(empty: URL) -> None:
    async with somebody_migrating(empty) as waiters:
        migration = asyncio.create_task(migrating.upgrade(empty))
        await waiters(1)
        migration.cancel()
        await waiters(0)  # its thread does not hold up the end of the process
        with pytest.raises(asyncio.CancelledError):
            await migration
    assert await tables(empty) == set()


@pytest.mark.parametrize("command", ["migrate", "worker"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_that_waits_for_another_ends_when_it_is_told(
    empty: URL, tmp_path: Path, command: str, how: signal.Signals
) -> None:
    settings = {"DOCSTORE_DATABASE_URL": str(empty), "DOCSTORE_DATA_DIR": str(tmp_path)}
    async with somebody_migrating(empty) as waiters:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, command, env={**os.environ, **settings}, cwd=tmp_path, stderr=DEVNULL
        )
        try:
            await waiters(1)
            process.send_signal(how)
            async with asyncio.timeout(30):  # of the 600 s that it would wait
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert await tables(empty) == set()


async def test_the_tables_are_those_that_the_code_knows(empty: URL, server: Postgresql) -> None:
    drawn = engine.url_of(server.new_database())
    await migrating.upgrade(empty)
    await ask(drawn, metadata.create_all)
    differences = await ask(
        empty, lambda db: compare_metadata(MigrationContext.configure(db), metadata)
    )
    assert differences == []
    for table in metadata.tables:  # what the comparison above does not look at
        assert await ask(empty, rules(table)) == await ask(drawn, rules(table))


def rules(table: str) -> Callable[[Connection], Mapping[str, Any]]:
    def look(db: Connection) -> Mapping[str, Any]:
        there = inspect(db)
        indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = :table ORDER BY indexdef"
        columns = (
            "SELECT column_name, data_type, character_maximum_length, collation_name, is_nullable,"
            " column_default FROM information_schema.columns"
            " WHERE table_name = :table AND table_schema = 'public' ORDER BY ordinal_position"
        )
        return {
            "checks": sorted(map(str, there.get_check_constraints(table))),
            "unique": sorted(map(str, there.get_unique_constraints(table))),
            "parents": sorted(map(str, there.get_foreign_keys(table))),
            "indexes": db.execute(text(indexes), {"table": table}).all(),
            "columns": db.execute(text(columns), {"table": table}).all(),
        }

    return look


async def test_text_is_sorted_by_code_points_everywhere(url: str) -> None:
    def other_collations(db: Connection) -> Sequence[Any]:
        statement = (
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type IN ('text', 'character varying')"
            " AND collation_name IS DISTINCT FROM 'C' AND table_name != 'alembic_version'"
        )
        return db.execute(text(statement)).all()

    assert await ask(engine.url_of(url), other_collations) == []


async def test_files_that_are_there_already_are_counted_and_searchable(
    database: PostgresqlDatabase, url: str
) -> None:
    user = a_user()
    waiting = [a_file(user_id=user.id) for _ in range(3)]
    failed = a_file(user_id=user.id, status=FileStatus.FAILED)
    await save(database.begin, user, *waiting, failed)
    await migrating.downgrade(engine.url_of(url), "0001")
    await migrating.upgrade(engine.url_of(url))
    assert await counted(url) == {"uploaded": 3, "failed": 1}
    async with database.begin(read_only=True) as tx:
        assert await tx.files.get(failed.id) == failed


async def test_files_are_counted_as_they_come_change_and_go(
    database: PostgresqlDatabase, url: str
) -> None:
    user, other = a_user(), a_user()
    first, second = (a_file(user_id=user.id) for _ in range(2))
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


async def counted(url: str) -> dict[str, int]:
    statement = select(file_counts.c.status, func.sum(file_counts.c.total)).group_by("status")
    rows = await ask(engine.url_of(url), lambda db: db.execute(statement).all())
    return {status: int(total) for status, total in rows}


async def test_a_database_of_a_newer_version_is_refused(
    database: PostgresqlDatabase, url: str
) -> None:
    await ask(engine.url_of(url), be_newer)
    with pytest.raises(NewerData, match="9999"):
        await database.migrate()
    with pytest.raises(NewerData, match="9999"):
        await database.due_migrations()


def be_newer(db: Connection) -> None:
    db.execute(text("UPDATE alembic_version SET version_num = '9999'"))


async def test_a_migration_that_fails_is_undone(empty: URL) -> None:
    def fail(db: Connection) -> None:
        db.execute(text("CREATE TABLE half (id int)"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ask(empty, fail)
    assert await tables(empty) == set()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("users", "email = NULL"),
        ("users", "version = 0"),
        ("files", "status = 'deleted'"),
        ("files", "status = 'failed'"),
        ("files", "size = -1"),
        ("files", "user_id = gen_random_uuid()"),
        ("file_counts", "total = -1"),
        ("jobs", "status = 'processing'"),
        ("jobs", "job_type = 'dance'"),
        ("jobs", "file_id = NULL"),
        ("jobs", "error_code = 'corrupt'"),
        ("jobs", "attempts = -1"),
    ],
)
async def test_the_database_refuses_what_the_domain_would(
    database: PostgresqlDatabase, url: str, table: str, change: str
) -> None:
    user = a_user()
    file = a_file(user_id=user.id)
    await save(database.begin, user, file, a_job(file_id=file.id))
    with pytest.raises(IntegrityError):
        await ask(engine.url_of(url), lambda db: db.execute(text(f"UPDATE {table} SET {change}")))
