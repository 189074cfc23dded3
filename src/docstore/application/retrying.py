from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from docstore.application.again import again_when_stale
from docstore.application.ports.unit_of_work import Begin
from docstore.application.settling import steps_of
from docstore.domain.file import File
from docstore.domain.ids import FileId, JobId, UserId
from docstore.domain.job import Job
from docstore.domain.step import resumed


@dataclass(frozen=True, slots=True)
class RetryByHand:
    """Process a failed file once more; with `force` a processed one too.

    What was done before the failure is not done again; with `force` everything is. A new job of
    the next generation and the file's new status are saved together, so a second press finds the
    file PROCESSING and raises IllegalTransition.
    """

    begin: Begin
    new_id: Callable[[], UUID]

    async def __call__(self, *, owner: UserId, id: FileId, force: bool = False) -> File:
        return await again_when_stale(lambda: self._try(owner, id, force), f"file {id}")

    async def _try(self, owner: UserId, id: FileId, force: bool) -> File:
        async with self.begin() as tx:
            now = await tx.now()
            before = await tx.files.owned(owner, id=id)
            file = before.again(force=force, now=now)
            steps = () if force else resumed(await steps_of(tx, before))
            await tx.files.update(file)
            await tx.jobs.add(Job.process(file, id=JobId(self.new_id()), now=now, steps=steps))
            await tx.commit()
        return file
