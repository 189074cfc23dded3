"""What newer processors make out of date, and its processing once more."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from docstore.application.ports.extractor import Extractor
from docstore.application.ports.unit_of_work import Begin, UnitOfWork
from docstore.application.settling import steps_of
from docstore.domain.errors import Conflict, NotFound
from docstore.domain.file import File
from docstore.domain.ids import FileId, JobId, UserId
from docstore.domain.job import Job
from docstore.domain.lifecycle import FileStatus
from docstore.domain.step import Step, continued, is_mended

BATCH: Final = 100  # files looked at in one transaction


@dataclass(frozen=True, slots=True)
class Stale:
    """A file that processors which there are now would read in another way."""

    file: File
    processors: Sequence[str]  # that are to run again; the others' results are carried over


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How many files there were."""

    looked_at: int
    stale: int


@dataclass(frozen=True, slots=True)
class Refresh:
    """Run the steps that are out of date: of a processor that is new, or of another version than
    the one that read the file, and those declared to come after it.

    Of a failed file only when the step that failed is such a one. Each stale file is given a job
    of the next generation, of which all other steps are done already. Readers have the old
    results until the new ones are committed.
    """

    begin: Begin
    new_id: Callable[[], UUID]
    extractor: Callable[[], Extractor]

    async def __call__(
        self,
        *,
        owner: UserId | None = None,
        dry_run: bool = False,
        tell: Callable[[Stale], object] = lambda _: None,
    ) -> Refreshed:
        """Look at the files of all owners, or of one, and call `tell` with each stale one, once it
        has got its job. With `dry_run` none gets one.
        """
        looked_at = stale = 0
        last: FileId | None = None
        while True:
            async with self.begin(read_only=True) as tx:
                files = await tx.files.after(last, limit=BATCH)
                wanted = [file for file in files if owner in (None, file.user_id)]
                found = [await self._look(tx, file) for file in wanted]
            for each in filter(None, found):
                if dry_run or await self._renew(each.file.id):
                    stale += 1
                    tell(each)
            looked_at += len(wanted)
            if len(files) < BATCH:
                return Refreshed(looked_at, stale)
            last = files[-1].id

    async def _look(self, tx: UnitOfWork, file: File) -> Stale | None:
        steps = await self._steps(tx, file)
        to_run = [step.processor for step in steps if not step.is_done]
        return Stale(file, to_run) if to_run else None

    async def _steps(self, tx: UnitOfWork, file: File) -> Sequence[Step]:
        """What the file's next job would have to do; nothing when it need not have one."""
        if not file.status.is_final:
            return ()
        plan = self.extractor().plan(file.media_type)
        before = await steps_of(tx, file)
        if file.status is FileStatus.FAILED and not is_mended(before, plan):
            return ()
        return continued(before, plan)

    async def _renew(self, file_id: FileId) -> bool:
        """Whether the file, looked at once more, was given a job."""
        with suppress(Conflict, NotFound):
            async with self.begin() as tx:
                file = await tx.files.get(file_id)
                steps = await self._steps(tx, file)
                if all(step.is_done for step in steps):
                    return False
                now = await tx.now()
                file = file.again(force=True, now=now)
                await tx.files.update(file)
                await tx.jobs.add(Job.process(file, id=JobId(self.new_id()), now=now, steps=steps))
                await tx.commit()
                return True
        return False
