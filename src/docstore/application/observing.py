"""How things stand, for those who watch over them."""

from dataclasses import dataclass
from datetime import timedelta

from docstore.application.ports.unit_of_work import Begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """The work that is not done yet, over all owners."""

    queued: int  # jobs
    due: int  # of those, how many could begin now
    processing: int
    oldest_due: timedelta  # how long the first of them has been due; 0 when none is


@dataclass(frozen=True, slots=True)
class TakeStock:
    """Count the work that is not done yet."""

    begin: Begin

    async def __call__(self) -> Stock:
        async with self.begin(read_only=True) as tx:
            now = await tx.now()
            backlog = await tx.upkeep.backlog(now)
        first = backlog.first_due_at
        return Stock(
            queued=backlog.queued,
            due=backlog.due,
            processing=backlog.processing,
            oldest_due=max(timedelta(0), now - first) if first else timedelta(0),
        )
