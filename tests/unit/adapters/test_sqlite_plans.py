"""Which index answers which question: what SQLite says it would do."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite as dialect

from docstore.adapters.persistence.sql import files, jobs, upkeep
from docstore.adapters.persistence.sql.inline.database import SqliteDatabase, connect


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


HOT = [
    (jobs.DUE, "ix_jobs_queued"),
    (jobs.OF_FILE, "file_id=?"),
    (upkeep.LAPSED, "ix_jobs_leased"),
    (upkeep.HELD_BY, "ix_jobs_leased"),
    (upkeep.STRANDED, "ix_files_unfinished"),
    (upkeep.STRANDED, "file_id=?"),
    (upkeep.FORGET_PURGES, "ix_jobs_purged"),
    (files.FROM_NEWEST, "COVERING INDEX ix_files_listing (user_id=?)"),
    (files.FROM_OLDEST, "COVERING INDEX ix_files_listing (user_id=?)"),
    (files.TOTAL, "PRIMARY KEY (user_id=?)"),
    (files.OWNED_BY_ID, "(id=?)"),
    (files.OWNED_BY_KEY, "(key=?)"),
    (files.AFTER, "(id>?)"),
]


@pytest.mark.anyio
class TestPlans:
    @pytest.mark.parametrize(("statement", "index"), HOT)
    async def test_hot_questions_use_an_index(
        self, database: SqliteDatabase, path: Path, statement: ClauseElement, index: str
    ) -> None:
        plan = explain(path, statement)
        assert index in plan
        assert "SCAN jobs\n" not in plan
        assert "SCAN files\n" not in plan

    @pytest.mark.parametrize("statement", [files.AFTER, upkeep.STRANDED])
    async def test_an_index_gives_the_order_too(
        self, database: SqliteDatabase, path: Path, statement: ClauseElement
    ) -> None:
        assert "TEMP B-TREE" not in explain(path, statement)


def explain(path: Path, statement: ClauseElement) -> str:
    compiled = statement.compile(dialect=dialect.dialect())
    raw = sqlite3.connect(path)
    blanks = [None] * str(compiled).count("?")
    rows = raw.execute(f"EXPLAIN QUERY PLAN {compiled}", blanks).fetchall()
    raw.close()
    return "".join(f"{row[3]}\n" for row in rows)
