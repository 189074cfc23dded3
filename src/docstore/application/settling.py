"""What a job's end means for its file. The job's own row is the fence and is saved first."""

from collections.abc import Sequence
from datetime import datetime

from docstore.application.ports.unit_of_work import UnitOfWork
from docstore.domain.errors import NotFound
from docstore.domain.file import File
from docstore.domain.job import Job
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.step import Step


async def file_of(tx: UnitOfWork, job: Job) -> File | None:
    """The file that `job` still speaks for: PROCESSING, in the job's own generation.

    Read anew in the settling transaction, since its owner may have changed or deleted it.
    """
    if job.file_id is None:
        return None
    try:
        file = await tx.files.get(job.file_id)
    except NotFound:
        return None
    current = file.status is FileStatus.PROCESSING and file.generation == job.generation
    return file if current else None


async def save_setback(tx: UnitOfWork, job: Job, now: datetime) -> None:
    """Save a job after `fail`, `expire` or `release`; a FAILED one takes its file with it."""
    await tx.jobs.update(job)
    if job.status is not JobStatus.FAILED or job.failure is None:
        return
    if (file := await file_of(tx, job)) is not None:
        await tx.files.update(file.fail(job.failure, now=now))


async def steps_of(tx: UnitOfWork, file: File) -> Sequence[Step]:
    """Those of the job that `file`, as it is, came out of."""
    jobs = await tx.jobs.of_file(file.id)
    return next((job.steps for job in jobs if job.generation == file.generation), ())
