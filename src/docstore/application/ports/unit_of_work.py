from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Protocol, Self

from docstore.domain.errors import AlreadyExists, NotFound, OutOfSpace
from docstore.domain.file import File
from docstore.domain.idempotency import Claim, IdempotencyKey
from docstore.domain.ids import FileId, JobId, LeaseToken, UserId
from docstore.domain.job import Job
from docstore.domain.listing import FileQuery, JobQuery, Place
from docstore.domain.names import Email
from docstore.domain.user import User
from docstore.domain.versions import Versions


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a listing, newest first. `total` counts the whole listing."""

    items: Sequence[File]
    total: int


class Files(Protocol):
    async def add(self, file: File) -> None:
        """NotFound, here or at the commit, when there is no such owner any more."""
        ...

    async def get(self, file_id: FileId) -> File:
        """The file, or NotFound. For docstore's own work; people's requests go through `owned`."""
        ...

    async def owned(
        self, owner: UserId, *, id: FileId | None = None, key: str | None = None
    ) -> File:
        """The file by id or by public key; NotFound unless it is `owner`'s."""
        ...

    async def versions(self, owner: UserId, id: FileId) -> Versions:
        """Those of the file and its jobs; NotFound unless it is `owner`'s."""
        ...

    async def find(self, ids: Collection[FileId]) -> Sequence[File]:
        """Those of the files that exist, in any order."""
        ...

    async def page(self, owner: UserId, *, offset: int, limit: int) -> Page:
        """The owner's files, newest first (`uploaded_at`, then `id`, both descending)."""
        ...

    async def listed(
        self,
        owner: UserId,
        query: FileQuery,
        *,
        offset: int = 0,
        after: Place | None = None,
        limit: int,
    ) -> Sequence[File]:
        """The owner's files that `query` takes, in its order, those with equal values by their
        ids in the same direction: from the one after `offset` others, or after a place.
        """
        ...

    async def count(self, owner: UserId, query: FileQuery, *, at_most: int | None = None) -> int:
        """How many there are in all; the counting may stop at `at_most`."""
        ...

    async def after(self, file_id: FileId | None, *, limit: int) -> Sequence[File]:
        """All files of all owners in the order of their ids, from the one after `file_id`."""
        ...

    async def update(self, file: File) -> None:
        """Replace version `file.version - 1`; StaleVersion when that is not the current one."""
        ...

    async def delete(self, file_id: FileId) -> None:
        """The row, and with it the rows of its jobs; NotFound when there is none."""
        ...


class Jobs(Protocol):
    async def add(self, job: Job) -> None:
        """AlreadyExists when the file has a job of that type and generation; NotFound, here or at
        the commit, when there is no such file any more.
        """
        ...

    async def get(self, job_id: JobId) -> Job:
        """The job, or NotFound."""
        ...

    async def lock(self, ids: Collection[JobId]) -> Sequence[Job]:
        """Those of the jobs that exist and that no other transaction has in hand, as they are now,
        in any order. Until this one ends nobody else changes them; or who does is found out when
        it commits, which then raises StaleVersion.
        """
        ...

    async def of_file(self, file_id: FileId) -> Sequence[Job]:
        """The jobs of a file, newest first."""
        ...

    async def owned(self, owner: UserId, job_id: JobId) -> Job:
        """The job; NotFound unless it is one of a file of `owner`'s."""
        ...

    async def listed(
        self,
        owner: UserId,
        query: JobQuery,
        *,
        offset: int = 0,
        after: Place | None = None,
        limit: int,
    ) -> Sequence[Job]:
        """Jobs of the owner's files that `query` takes, newest first (`queued_at`, then `id`, both
        descending): from the one after `offset` others, or after a place.
        """
        ...

    async def count(self, owner: UserId, query: JobQuery, *, at_most: int | None = None) -> int:
        """How many there are in all; the counting may stop at `at_most`."""
        ...

    async def update(self, job: Job) -> None:
        """Replace version `job.version - 1`; StaleVersion when that is not the current one.

        This is the fence: a claim, an expiry and a release each make a new version, so nobody
        whose lease was taken away can save an outcome. A conflict changes nothing and leaves the
        transaction usable.
        """
        ...

    async def heartbeat(
        self, job_id: JobId, token: LeaseToken, *, now: datetime, lease_until: datetime
    ) -> None:
        """Renew the lease, changing nothing else; StaleVersion when `token` holds it no more."""
        ...

    async def due(self, now: datetime, *, told_before: datetime, limit: int) -> Sequence[Job]:
        """Queued jobs with `due_at <= now` of which no queue was told, or not since `told_before`
        (or, by a clock that went back, in the future of `now`).

        Owners take turns: the first due job of each, then the second of each, and so on; within
        a turn the longest due first.
        """
        ...


class Users(Protocol):
    async def add(self, user: User) -> None:
        """AlreadyExists when the e-mail address or the external id is taken."""
        ...

    async def get(self, user_id: UserId) -> User:
        """The user, or NotFound."""
        ...

    async def lock(self, user_id: UserId) -> User:
        """The user, or NotFound. Until this transaction ends nobody adds a file of theirs; or who
        does is found out when it commits, which then raises StaleVersion.
        """
        ...

    async def by_email(self, email: Email) -> User:
        """The user, or NotFound."""
        ...

    async def by_external_id(self, external_id: str) -> User:
        """The user, or NotFound."""
        ...

    async def all(self) -> Sequence[User]:
        """Every user, in the order of creation."""
        ...

    async def update(self, user: User) -> None:
        """Replace version `user.version - 1`; StaleVersion when that is not the current one."""
        ...

    async def delete(self, user_id: UserId) -> None:
        """The row, and with it the rows of the user's files and of their jobs."""
        ...


class Claims(Protocol):
    """Who has which idempotency key. They go with their user."""

    async def find(self, user_id: UserId, key: IdempotencyKey) -> Claim | None:
        """The claim on that key, also one that has expired."""
        ...

    async def put(self, claim: Claim, *, before: Claim | None) -> None:
        """Save a claim in place of `before`: none, or one on the same key with that `token`, which
        is answered or not as `before` is. StaleVersion when what is there is anything else, and
        NotFound without the user.
        """
        ...

    async def delete(self, claim: Claim) -> None:
        """Free the key, if what is there is that claim (in the sense of `put`)."""
        ...

    async def forget(self, before: datetime) -> int:
        """Delete the claims of all users that expired before then; tell how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The jobs that are not done yet."""

    queued: int
    due: int  # queued, with `due_at <= now`
    processing: int
    first_due_at: datetime | None  # of those queued; None: there is none


class Upkeep(Protocol):
    """What the maintenance loops look for, over all owners."""

    async def lapsed(self, now: datetime, *, skew: timedelta, limit: int) -> Sequence[Job]:
        """Jobs in PROCESSING with `lease_until < now`, or a heartbeat later than `now + skew`."""
        ...

    async def held_by(self, worker: str) -> Sequence[Job]:
        """Jobs in PROCESSING whose `worker` begins with `worker`."""
        ...

    async def stranded(self, *, limit: int) -> Sequence[File]:
        """Files that are UPLOADED or PROCESSING without a queued or processing job."""
        ...

    async def backlog(self, now: datetime) -> Backlog:
        """How much there is to do."""
        ...

    async def forget_purges(self, before: datetime) -> int:
        """Delete the rows of purges that ended before then, well or not; tell how many."""
        ...


REFUSALS: Final = (AlreadyExists, NotFound, OutOfSpace)
"""Errors of a commit after which it is certain that it saved nothing, nor will."""


class UnitOfWork(Protocol):
    """One transaction. Leaving without `commit` rolls back.

    Serialisable for what is changed: two that update the same row cannot both commit. Any method
    may raise Unavailable; after a `commit` that did, either may be true.
    """

    @property
    def files(self) -> Files: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def users(self) -> Users: ...
    @property
    def claims(self) -> Claims: ...
    @property
    def upkeep(self) -> Upkeep: ...

    @property
    def may_be_saved(self) -> bool:
        """False before a `commit`, and after one of which it is certain that it saved nothing, nor
        will: one that was refused (REFUSALS), or given up before the database had it.
        """
        ...

    async def now(self) -> datetime:
        """The database's time, the one that leases are measured by. Aware, UTC."""
        ...

    async def commit(self) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Roll back what was not committed. Raises nothing over an exception on its way."""
        ...


class Begin(Protocol):
    """Starts a transaction.

    One that only reads may run beside any other. Of one that only adds nothing is called but `add`
    of the repositories and the time, else TypeError: so what is wrong with what it adds may be said
    as late as at its commit.
    """

    def __call__(self, *, read_only: bool = False, add_only: bool = False) -> UnitOfWork: ...
