"""Which index answers which question: what PostgreSQL says it would do if reading all rows were
dear, as it is with a million of them.
"""

from uuid import UUID

import pytest
from sqlalchemy import Select, text
from sqlalchemy.sql.dml import UpdateBase

from docstore.adapters.persistence.sql import claims, files, jobs, listing, upkeep
from docstore.adapters.persistence.sql.postgresql.database import PostgresqlDatabase
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.listing import ALL_FILES, FileQuery, Sort

pytestmark = pytest.mark.anyio


def files_of(query: FileQuery = ALL_FILES, *, sort: str = "uploaded_at") -> Select[tuple[object]]:
    return listing.files_of(listing.kind_of(query), Sort(sort), is_after=True)


HOT: list[tuple[Select[tuple[object]] | UpdateBase, str]] = [
    (jobs.SqlJobs.statements.by_id, "pk_jobs"),
    (jobs.SqlJobs.statements.replace, "pk_jobs"),
    (jobs.LOCK.params(ids=[UUID(int=1)]), "pk_jobs"),
    (jobs.HEARTBEAT, "pk_jobs"),
    (files.SqlFiles.statements.replace, "pk_files"),
    (jobs.DUE, "ix_jobs_queued"),
    (jobs.OF_FILE, "uq_jobs_file_id_job_type_generation"),
    (upkeep.LAPSED, "ix_jobs_leased"),
    (upkeep.HELD_BY, "ix_jobs_leased"),
    (upkeep.STRANDED, "ix_files_unfinished"),
    (upkeep.FORGET_PURGES, "ix_jobs_purged"),
    (claims.FORGET, "ix_idempotency_keys_expiry"),
    (files.FROM_NEWEST, "ix_files_listing"),
    (files.FROM_OLDEST, "ix_files_listing"),
    (files.TOTAL, "pk_file_counts"),
    (files.AFTER, "pk_files"),
    (files_of(), "ix_files_listing"),
    (files_of(sort="filename"), "ix_files_by_name"),
    (files_of(sort="size"), "ix_files_by_size"),
    (files_of(FileQuery(status=FileStatus.FAILED)), "ix_files_unprocessed"),
    (files_of(FileQuery(status=FileStatus.UPLOADED)), "ix_files_unprocessed"),
    (listing.jobs_of(None, is_after=True), "ix_jobs_listing"),
    (listing.jobs_of(JobStatus.FAILED, is_after=True), "ix_jobs_failed"),
]


@pytest.mark.parametrize(("statement", "index"), HOT)
async def test_hot_questions_use_an_index(
    database: PostgresqlDatabase, statement: Select[tuple[object]] | UpdateBase, index: str
) -> None:
    plan = await explain(database, statement)
    assert index in plan
    assert "Seq Scan" not in plan


async def explain(
    database: PostgresqlDatabase, statement: Select[tuple[object]] | UpdateBase
) -> str:
    written = {"render_postcompile": True}  # with as many ids as it was given
    compiled = statement.compile(dialect=database._writers.dialect, compile_kwargs=written)
    async with database._writers.connect() as db:
        for rule in (
            "enable_seqscan = off",
            "enable_sort = off",
            "plan_cache_mode = force_generic_plan",
        ):
            await db.execute(text(f"SET LOCAL {rule}"))
        await db.exec_driver_sql(f"PREPARE asked AS {compiled}")
        blanks = ", ".join(["NULL"] * len(compiled.positiontup or ()))
        asked = f"asked({blanks})" if blanks else "asked"
        rows = (await db.exec_driver_sql(f"EXPLAIN EXECUTE {asked}")).all()
        await db.exec_driver_sql("DEALLOCATE asked")
    return "\n".join(row[0] for row in rows)
