from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Integer, bindparam, func, or_, select, update

from docstore.adapters.persistence.sql import listing
from docstore.adapters.persistence.sql.rows import from_job, to_job
from docstore.adapters.persistence.sql.tables import OF_FILES, QUEUED, UtcDateTime, jobs
from docstore.adapters.persistence.sql.versioned import Statements, VersionedRows
from docstore.domain.errors import StaleVersion
from docstore.domain.ids import FileId, JobId, LeaseToken, UserId
from docstore.domain.job import FIXED, Job
from docstore.domain.listing import JobQuery, Place

_now = bindparam("now", type_=UtcDateTime)
_untold = or_(
    jobs.c.dispatched_at.is_(None),
    jobs.c.dispatched_at < bindparam("told_before"),
    jobs.c.dispatched_at > _now,
)
_turns = (
    select(
        jobs.c.id,
        jobs.c.due_at,
        func.row_number()
        .over(partition_by=jobs.c.user_id, order_by=(jobs.c.due_at, jobs.c.id))
        .label("turn"),
    )
    .where(QUEUED, jobs.c.due_at <= _now, _untold)
    .subquery("turns")
)
DUE: Final = (
    select(jobs)
    .join(_turns, _turns.c.id == jobs.c.id)
    .order_by(_turns.c.turn, _turns.c.due_at, _turns.c.id)
    .limit(bindparam("limit", type_=Integer))
)
LOCK: Final = (
    select(jobs)
    .where(jobs.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(jobs.c.id)
    .with_for_update(skip_locked=True)
)
OF_FILE: Final = (
    select(jobs)
    .where(jobs.c.file_id == bindparam("file_id"))
    .order_by(jobs.c.queued_at.desc(), jobs.c.generation.desc(), jobs.c.id.desc())
)
OWNED: Final = select(jobs).where(
    jobs.c.id == bindparam("id"),
    jobs.c.user_id == bindparam("owner"),
    OF_FILES,
)
HEARTBEAT: Final = update(jobs).where(
    jobs.c.id == bindparam("row_id"), jobs.c.lease_token == bindparam("token")
)


class SqlJobs(VersionedRows[Job]):
    kind = "job"
    parent = "file"
    statements = Statements(jobs, FIXED)
    read = to_job
    written = from_job

    async def get(self, job_id: JobId) -> Job:
        return await self._by_id(job_id)

    async def lock(self, ids: Collection[JobId]) -> Sequence[Job]:
        return await self._by_ids(LOCK, ids)

    async def of_file(self, file_id: FileId) -> Sequence[Job]:
        return await self._all(OF_FILE, {"file_id": file_id})

    async def owned(self, owner: UserId, job_id: JobId) -> Job:
        return await self._one(job_id, OWNED, {"owner": owner, "id": job_id})

    async def listed(
        self,
        owner: UserId,
        query: JobQuery,
        *,
        offset: int = 0,
        after: Place | None = None,
        limit: int,
    ) -> Sequence[Job]:
        statement = listing.jobs_of(query.status, is_after=after is not None)
        values = {"owner": owner, "limit": limit, **listing.start_of(offset, after)}
        return await self._all(statement, values, long=True)

    async def count(self, owner: UserId, query: JobQuery, *, at_most: int | None = None) -> int:
        statement = listing.count_of_jobs(query.status, is_bounded=at_most is not None)
        return await self._number(statement, {"owner": owner, "at_most": at_most}, long=True)

    async def heartbeat(
        self, job_id: JobId, token: LeaseToken, *, now: datetime, lease_until: datetime
    ) -> None:
        renewed = {"heartbeat_at": now, "lease_until": lease_until}
        if not await self._change(HEARTBEAT, {"row_id": job_id, "token": token, **renewed}):
            raise StaleVersion(f"job {job_id} is not leased to {token}")

    async def due(self, now: datetime, *, told_before: datetime, limit: int) -> Sequence[Job]:
        bounds = {"now": now, "told_before": told_before, "limit": limit}
        return await self._all(DUE, bounds, long=True)  # it ranks the whole backlog
