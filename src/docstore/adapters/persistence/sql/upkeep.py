from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Integer, String, bindparam, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.rows import to_file, to_job
from docstore.adapters.persistence.sql.tables import (
    LIVE,
    PROCESSING,
    PURGED,
    UNFINISHED,
    files,
    jobs,
)
from docstore.domain.file import File
from docstore.domain.job import Job

_limit = bindparam("limit", type_=Integer)

LAPSED: Final = (
    select(jobs)
    .where(
        PROCESSING,
        or_(
            jobs.c.lease_until < bindparam("now"),
            jobs.c.heartbeat_at > bindparam("latest"),
        ),
    )
    .order_by(jobs.c.lease_until)
    .limit(_limit)
)
# Not LIKE: it would give `%` and `_` in a worker's name a meaning, and ignore case on SQLite.
HELD_BY: Final = select(jobs).where(
    PROCESSING,
    func.substr(jobs.c.worker, 1, bindparam("length", type_=Integer))
    == bindparam("prefix", type_=String),
)
STRANDED: Final = (
    select(files)
    .where(UNFINISHED, ~select(jobs.c.id).where(jobs.c.file_id == files.c.id, LIVE).exists())
    .order_by(files.c.id)
    .limit(_limit)
)
FORGET_PURGES: Final = delete(jobs).where(PURGED, jobs.c.completed_at < bindparam("before"))


class SqlUpkeep:
    def __init__(self, db: AsyncConnection) -> None:
        self._db = db

    async def lapsed(self, now: datetime, *, skew: timedelta, limit: int) -> Sequence[Job]:
        with sql_errors("lapsed jobs"):
            bounds = {"now": now, "latest": now + skew, "limit": limit}
            return [to_job(row) for row in await self._db.execute(LAPSED, bounds)]

    async def held_by(self, worker: str) -> Sequence[Job]:
        with sql_errors("held jobs"):
            prefix = {"prefix": worker, "length": len(worker)}
            return [to_job(row) for row in await self._db.execute(HELD_BY, prefix)]

    async def stranded(self, *, limit: int) -> Sequence[File]:
        with sql_errors("stranded files"):
            return [to_file(row) for row in await self._db.execute(STRANDED, {"limit": limit})]

    async def forget_purges(self, before: datetime) -> int:
        with sql_errors("purges"):
            return (await self._db.execute(FORGET_PURGES, {"before": before})).rowcount
