from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    ScalarSelect,
    String,
    bindparam,
    func,
    or_,
    select,
)

from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.rows import to_file, to_job
from docstore.adapters.persistence.sql.tables import (
    LIVE,
    PROCESSING,
    PURGED,
    QUEUED,
    UNFINISHED,
    files,
    jobs,
)
from docstore.adapters.persistence.sql.transaction import Transaction
from docstore.adapters.persistence.sql.versioned import deletion_of_free
from docstore.application.ports.unit_of_work import Backlog
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


def _counted(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(jobs).where(*conditions).scalar_subquery()


BACKLOG: Final = select(
    _counted(QUEUED).label("queued"),
    _counted(QUEUED, jobs.c.due_at <= bindparam("now")).label("due"),
    _counted(PROCESSING).label("processing"),
    select(func.min(jobs.c.due_at)).where(QUEUED).scalar_subquery().label("first_due_at"),
)
FORGET_PURGES: Final = deletion_of_free(jobs, PURGED, jobs.c.completed_at < bindparam("before"))


class SqlUpkeep:
    """Its questions go over everybody's rows, so all of them may be long."""

    def __init__(self, db: Transaction) -> None:
        self._db = db

    async def lapsed(self, now: datetime, *, skew: timedelta, limit: int) -> Sequence[Job]:
        with sql_errors("lapsed jobs"):
            bounds = {"now": now, "latest": now + skew, "limit": limit}
            return [to_job(row) for row in await self._db.fetch(LAPSED, bounds, long=True)]

    async def held_by(self, worker: str) -> Sequence[Job]:
        with sql_errors("held jobs"):
            prefix = {"prefix": worker, "length": len(worker)}
            return [to_job(row) for row in await self._db.fetch(HELD_BY, prefix, long=True)]

    async def stranded(self, *, limit: int) -> Sequence[File]:
        with sql_errors("stranded files"):
            rows = await self._db.fetch(STRANDED, {"limit": limit}, long=True)
            return [to_file(row) for row in rows]

    async def backlog(self, now: datetime) -> Backlog:
        with sql_errors("the backlog"):
            (row,) = await self._db.fetch(BACKLOG, {"now": now}, long=True)
            return Backlog(**row._asdict())

    async def forget_purges(self, before: datetime) -> int:
        with sql_errors("purges"):
            return await self._db.change(FORGET_PURGES, {"before": before}, long=True)
