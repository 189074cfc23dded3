import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from docstore.application.again import again_when_stale
from docstore.application.auditing import Event, tell
from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.unit_of_work import Begin, UnitOfWork
from docstore.domain.ids import FileId, JobId, UserId
from docstore.domain.job import Job, JobType
from docstore.domain.keys import prefixes
from docstore.domain.listing import ALL_FILES, Place

log = logging.getLogger(__name__)

FILES_PER_PURGE: Final = 200  # whose prefixes one purge job carries


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """Forget a file: the row now, the bytes by a purge job that is saved with it.

    The record goes first, so that nobody is ever shown a file whose bytes are half gone.
    """

    begin: Begin
    new_id: Callable[[], UUID]

    async def __call__(self, *, owner: UserId, id: FileId) -> None:
        async with self.begin() as tx:
            file = await tx.files.owned(owner, id=id)
            await tx.files.delete(file.id)
            await _add_purge(tx, [file.id], owner, JobId(self.new_id()))
            await tx.commit()


@dataclass(frozen=True, slots=True)
class DeleteUser:
    """Forget an account with its files and jobs; their bytes go by purge jobs."""

    begin: Begin
    new_id: Callable[[], UUID]

    async def __call__(self, user_id: UserId) -> None:
        await again_when_stale(lambda: self._try(user_id), f"user {user_id}")
        tell(Event.ACCOUNT_DELETED, user_id)

    async def _try(self, user_id: UserId) -> None:
        async with self.begin() as tx:
            await tx.users.lock(user_id)  # or a file that comes meanwhile would get no purge
            last: Place | None = None
            while files := await tx.files.listed(
                user_id, ALL_FILES, after=last, limit=FILES_PER_PURGE
            ):
                await _add_purge(tx, [f.id for f in files], user_id, JobId(self.new_id()))
                last = ALL_FILES.place_of(files[-1])
            await tx.users.delete(user_id)
            await tx.commit()


async def _add_purge(tx: UnitOfWork, ids: Sequence[FileId], owner: UserId, job_id: JobId) -> None:
    now = await tx.now()
    await tx.jobs.add(
        Job(
            id=job_id,
            job_type=JobType.PURGE,
            user_id=owner,
            payload=tuple(prefix for file_id in ids for prefix in prefixes(file_id)),
            queued_at=now,
            due_at=now,
        )
    )


@dataclass(frozen=True, slots=True)
class Purge:
    """The task of a `purge` job: delete every blob under the prefixes it carries."""

    blobs: BlobStore

    async def begin(self, tx: UnitOfWork, job: Job) -> Job:
        await tx.jobs.update(job)
        return job

    async def run(self, job: Job, keep: object) -> int:
        deleted = 0
        for prefix in job.payload:
            for key in [blob.key async for blob in self.blobs.list(prefix)]:
                await self.blobs.delete(key)
                deleted += 1
        return deleted

    async def settle(self, tx: UnitOfWork, job: Job, result: int) -> None:
        await tx.jobs.update(job.succeed(now=await tx.now()))
        log.debug("job %s: %d blobs deleted", job.id, result)

    async def tidy(self, result: int) -> None:
        """Nothing is left to do."""
