"""Which index answers which question: what SQLite says it would do."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite as dialect

from docstore.adapters.persistence.sql import claims, files, jobs, listing, upkeep
from docstore.adapters.persistence.sql.inline.database import SqliteDatabase, connect
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.listing import ALL_FILES, FileQuery, Sort


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


def files_of(
    query: FileQuery = ALL_FILES, *, sort: str = "uploaded_at", is_after: bool = True
) -> ClauseElement:
    return listing.files_of(listing.kind_of(query), Sort(sort), is_after=is_after)


FAILED = FileQuery(status=FileStatus.FAILED)
LISTINGS = [
    (files_of(is_after=False), "ix_files_listing (user_id=?)"),
    (files_of(), "COVERING INDEX ix_files_listing (user_id=? AND (uploaded_at,id)>(?,?))"),
    (files_of(sort="-uploaded_at"), "ix_files_listing (user_id=? AND (uploaded_at,id)<(?,?))"),
    (files_of(sort="filename"), "ix_files_by_name (user_id=? AND (original_filename,id)>(?,?))"),
    (files_of(sort="-size"), "ix_files_by_size (user_id=? AND (size,id)<(?,?))"),
    (files_of(FAILED), "ix_files_unprocessed (user_id=? AND status=? AND (uploaded_at,id)>(?,?))"),
    (files_of(FAILED, is_after=False), "ix_files_unprocessed (user_id=? AND status=?)"),
    (listing.jobs_of(None, is_after=True), "ix_jobs_listing"),
    (listing.jobs_of(JobStatus.FAILED, is_after=True), "ix_jobs_failed"),
]
HOT = [
    *LISTINGS,
    (jobs.SqlJobs.statements.by_id, "(id=?)"),
    (jobs.SqlJobs.statements.replace, "(id=?)"),
    (files.SqlFiles.statements.replace, "(id=?)"),
    (jobs.LOCK.params(ids=[UUID(int=1)]), "(id=?)"),
    (jobs.HEARTBEAT, "(id=?)"),
    (files.FIND.params(ids=[UUID(int=1)]), "(id=?)"),
    (files.TOTAL_OF_STATUS, "PRIMARY KEY (user_id=? AND status=?)"),
    (upkeep.BACKLOG, "ix_jobs_queued (due_at<?)"),
    (claims.FORGET, "ix_idempotency_keys_expiry"),
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
    written = {"render_postcompile": True}  # with as many ids as it was given
    compiled = statement.compile(dialect=dialect.dialect(), compile_kwargs=written)
    raw = sqlite3.connect(path)
    blanks = [None] * str(compiled).count("?")
    rows = raw.execute(f"EXPLAIN QUERY PLAN {compiled}", blanks).fetchall()
    raw.close()
    return "".join(f"{row[3]}\n" for row in rows)
