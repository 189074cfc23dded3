from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from uuid import UUID

from docstore.adapters.persistence.memory.table import MemoryTable, beyond
from docstore.adapters.persistence.memory.transaction import Rows
from docstore.domain.errors import AlreadyExists, NotFound, StaleVersion
from docstore.domain.ids import FileId, JobId, LeaseToken, UserId
from docstore.domain.job import FIXED, Job, JobType
from docstore.domain.lifecycle import JobStatus
from docstore.domain.listing import ALL_JOBS, JobQuery, Place


class MemoryJobs(MemoryTable[Job]):
    kind = "job"
    fixed = FIXED

    def _table(self, rows: Rows) -> dict[UUID, Job]:
        return rows.jobs

    def _check(self, entity: Job, rows: Rows) -> None:
        if entity.file_id is None:
            return
        if entity.file_id not in rows.files:
            raise NotFound("file of", f"job {entity.id}")
        for job in rows.jobs.values():
            if job.id != entity.id and _place(job) == _place(entity):
                raise AlreadyExists(f"the file of job {entity.id} has such a job already")

    async def get(self, job_id: JobId) -> Job:
        return self._get(job_id)

    async def lock(self, ids: Collection[JobId]) -> Sequence[Job]:
        return [self._rows.jobs[job_id] for job_id in set(ids) & self._rows.jobs.keys()]

    async def of_file(self, file_id: FileId) -> Sequence[Job]:
        jobs = [job for job in self._rows.jobs.values() if job.file_id == file_id]
        return sorted(jobs, key=lambda job: (job.queued_at, job.generation, job.id), reverse=True)

    async def owned(self, owner: UserId, job_id: JobId) -> Job:
        theirs = self._asked_for(owner, ALL_JOBS)
        return self._first(job_id, (job for job in theirs if job.id == job_id))

    async def listed(
        self,
        owner: UserId,
        query: JobQuery,
        *,
        offset: int = 0,
        after: Place | None = None,
        limit: int,
    ) -> Sequence[Job]:
        jobs = self._asked_for(owner, query)
        placed = [(Place(job.queued_at, job.id), job) for job in jobs]
        return beyond(after, placed, descending=True)[offset : offset + limit]

    async def count(self, owner: UserId, query: JobQuery, *, at_most: int | None = None) -> int:
        return sum(1 for _ in islice(self._asked_for(owner, query), at_most))

    def _asked_for(self, owner: UserId, query: JobQuery) -> Iterable[Job]:
        theirs = (job for job in self._rows.jobs.values() if job.user_id == owner)
        return (job for job in theirs if job.file_id and query.status in (None, job.status))

    async def heartbeat(
        self, job_id: JobId, token: LeaseToken, *, now: datetime, lease_until: datetime
    ) -> None:
        def change(rows: Rows) -> None:
            job = rows.jobs.get(job_id)
            if job is None or job.lease_token != token:
                raise StaleVersion(f"job {job_id} is not leased to {token}")
            rows.jobs[job_id] = replace(job, heartbeat_at=now, lease_until=lease_until)

        self._transaction.make(change)

    async def due(self, now: datetime, *, told_before: datetime, limit: int) -> Sequence[Job]:
        def is_due(job: Job) -> bool:
            told = job.dispatched_at
            untold = told is None or told < told_before or told > now
            return job.status is JobStatus.QUEUED and job.due_at <= now and untold

        queues: Mapping[UserId | None, list[Job]] = defaultdict(list)
        for job in sorted(self._rows.jobs.values(), key=lambda job: (job.due_at, job.id)):
            if is_due(job):
                queues[job.user_id].append(job)
        turns = [(turn, job) for queue in queues.values() for turn, job in enumerate(queue)]
        turns.sort(key=lambda place: (place[0], place[1].due_at, place[1].id))
        return [job for _, job in turns[:limit]]


def _place(job: Job) -> tuple[FileId | None, JobType, int]:
    return job.file_id, job.job_type, job.generation
