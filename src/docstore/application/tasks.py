"""What a type of job is to whoever works on jobs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from docstore.application.ports.unit_of_work import UnitOfWork
from docstore.domain.errors import Conflict
from docstore.domain.job import Job


class LeaseLost(Conflict):
    """The job is not ours any more: what its attempt still does is of no use."""


Change: TypeAlias = Callable[[Job, datetime], Job]  # of the job's steps, at that time


class Keep(Protocol):
    """Saves what an attempt has come to, in a transaction of its own, and renews the lease."""

    async def __call__(self, change: Change) -> Job:
        """The job as it is saved now. LeaseLost when it is not ours any more."""
        ...


class Task(Protocol):
    """What there is to do for one type of job."""

    async def begin(self, tx: UnitOfWork, job: Job) -> Job:
        """Save the claimed job, before anything else, and note that an attempt begins; the job as
        it was saved.
        """
        ...

    async def run(self, job: Job, keep: Keep) -> Any:
        """The work itself; what it returns goes to `settle`. Cancelled when the lease is lost."""
        ...

    async def settle(self, tx: UnitOfWork, job: Job, result: Any) -> None:
        """Save the job as done, before anything else, and apply the result."""
        ...

    async def tidy(self, result: Any) -> None:
        """After the commit: delete what is not needed any more."""
        ...
