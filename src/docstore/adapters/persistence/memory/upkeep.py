from collections.abc import Sequence
from datetime import datetime, timedelta

from docstore.adapters.persistence.memory.transaction import Rows, Transaction
from docstore.application.ports.unit_of_work import Backlog
from docstore.domain.file import File
from docstore.domain.job import Job, JobType
from docstore.domain.lifecycle import JobStatus


class MemoryUpkeep:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def _processing(self) -> Sequence[Job]:
        jobs = self._transaction.rows.jobs.values()
        return [job for job in jobs if job.status is JobStatus.PROCESSING]

    async def lapsed(self, now: datetime, *, skew: timedelta, limit: int) -> Sequence[Job]:
        def is_lapsed(job: Job) -> bool:
            over = job.lease_until is not None and job.lease_until < now
            ahead = job.heartbeat_at is not None and job.heartbeat_at > now + skew
            return over or ahead

        return [job for job in self._processing() if is_lapsed(job)][:limit]

    async def held_by(self, worker: str) -> Sequence[Job]:
        return [job for job in self._processing() if (job.worker or "").startswith(worker)]

    async def stranded(self, *, limit: int) -> Sequence[File]:
        rows = self._transaction.rows
        cared_for = {job.file_id for job in rows.jobs.values() if job.status.is_live}
        unfinished = (file for file in rows.files.values() if not file.status.is_final)
        return [file for file in unfinished if file.id not in cared_for][:limit]

    async def backlog(self, now: datetime) -> Backlog:
        jobs = self._transaction.rows.jobs.values()
        queued = [job.due_at for job in jobs if job.status is JobStatus.QUEUED]
        return Backlog(
            queued=len(queued),
            due=sum(due_at <= now for due_at in queued),
            processing=sum(job.status is JobStatus.PROCESSING for job in jobs),
            first_due_at=min(queued, default=None),
        )

    async def forget_purges(self, before: datetime) -> int:
        def old(rows: Rows) -> Sequence[Job]:
            purges = (job for job in rows.jobs.values() if job.job_type is JobType.PURGE)
            done = (job for job in purges if not job.status.is_live)
            return [job for job in done if job.completed_at and job.completed_at < before]

        def change(rows: Rows) -> None:
            for job in old(rows):
                del rows.jobs[job.id]

        count = len(old(self._transaction.rows))
        self._transaction.make(change)
        return count
