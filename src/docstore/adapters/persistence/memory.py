"""The database as dicts, for tests and simulation: no thread, no timer, nothing that waits."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar
from uuid import UUID

from docstore.application.ports.unit_of_work import Backlog, Page
from docstore.domain.errors import AlreadyExists, NotFound, StaleVersion
from docstore.domain.file import File
from docstore.domain.idempotency import Claim, IdempotencyKey
from docstore.domain.ids import FileId, JobId, LeaseToken, UserId
from docstore.domain.job import Job, JobType
from docstore.domain.lifecycle import JobStatus
from docstore.domain.listing import ALL_JOBS, FileQuery, JobQuery, Place
from docstore.domain.names import Email
from docstore.domain.user import User


class Versioned(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...


E = TypeVar("E", bound=Versioned)


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows at one moment. A committed one is never changed, so it can be read for ever."""

    users: dict[UUID, User] = field(default_factory=dict)
    files: dict[UUID, File] = field(default_factory=dict)
    jobs: dict[UUID, Job] = field(default_factory=dict)
    claims: dict[tuple[UUID, str], Claim] = field(default_factory=dict)

    def copy(self) -> "Rows":
        return Rows(dict(self.users), dict(self.files), dict(self.jobs), dict(self.claims))


Change = Callable[[Rows], None]


class Transaction:
    """Sees the rows as they were when it began, and its own changes.

    At the commit the changes are made once more, on the rows as they are then: each checks what
    it relies on, so what somebody else committed meanwhile is found by the same rule.
    """

    def __init__(self, rows: Rows, *, read_only: bool) -> None:
        self.rows = rows
        self.changes: list[Change] = []
        self._read_only = read_only

    def make(self, change: Change) -> None:
        if self._read_only:
            raise RuntimeError("a transaction that only reads was asked to write")
        if not self.changes:
            self.rows = self.rows.copy()
        change(self.rows)  # raises before it changes anything, if at all
        self.changes.append(change)


class MemoryTable(Generic[E]):
    """What the tables share: add a row, or replace exactly the version before it."""

    kind: str

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    @property
    def _rows(self) -> Rows:
        return self._transaction.rows

    def _table(self, rows: Rows) -> dict[UUID, E]:
        raise NotImplementedError

    def _check(self, entity: E, rows: Rows) -> None:
        """Raise what the constraints of the table say of `entity` among `rows`."""

    def _get(self, ident: UUID) -> E:
        return self._first(ident, [self._table(self._rows).get(ident)])

    def _first(self, ident: object, found: Iterable[E | None]) -> E:
        for entity in found:
            if entity is not None:
                return entity
        raise NotFound(self.kind, ident)

    async def add(self, entity: E) -> None:
        def change(rows: Rows) -> None:
            if entity.id in self._table(rows):
                raise AlreadyExists(f"{self.kind} {entity.id} exists already")
            self._check(entity, rows)
            self._table(rows)[entity.id] = entity

        self._transaction.make(change)

    async def update(self, entity: E) -> None:
        def change(rows: Rows) -> None:
            before = self._table(rows).get(entity.id)
            if before is None or before.version != entity.version - 1:
                raise StaleVersion(f"{self.kind} {entity.id} is not at {entity.version - 1}")
            self._check(entity, rows)
            self._table(rows)[entity.id] = entity

        self._transaction.make(change)


class MemoryUsers(MemoryTable[User]):
    kind = "user"

    def _table(self, rows: Rows) -> dict[UUID, User]:
        return rows.users

    def _check(self, entity: User, rows: Rows) -> None:
        others = (user for user in rows.users.values() if user.id != entity.id)
        for user in others:
            if entity.email is not None and user.email == entity.email:
                raise AlreadyExists("the e-mail address is taken")
            if entity.external_id is not None and user.external_id == entity.external_id:
                raise AlreadyExists("the external id is taken")

    async def get(self, user_id: UserId) -> User:
        return self._get(user_id)

    async def lock(self, user_id: UserId) -> User:
        def theirs(rows: Rows) -> set[UUID]:
            return {file.id for file in rows.files.values() if file.user_id == user_id}

        def check(rows: Rows) -> None:
            if theirs(rows) != seen:
                raise StaleVersion(f"the files of user {user_id} have changed")

        seen = theirs(self._rows)
        self._transaction.make(check)
        return self._get(user_id)

    async def by_email(self, email: Email) -> User:
        return self._first(email, (u for u in self._rows.users.values() if u.email == email))

    async def by_external_id(self, external_id: str) -> User:
        users = self._rows.users.values()
        return self._first(external_id, (u for u in users if u.external_id == external_id))

    async def all(self) -> Sequence[User]:
        return sorted(self._rows.users.values(), key=lambda user: (user.created_at, user.id))

    async def delete(self, user_id: UserId) -> None:
        def change(rows: Rows) -> None:
            if rows.users.pop(user_id, None) is None:
                raise NotFound(self.kind, user_id)
            for file in [file for file in rows.files.values() if file.user_id == user_id]:
                _delete_file(rows, file.id)
            for place in [place for place in rows.claims if place[0] == user_id]:
                del rows.claims[place]

        self._transaction.make(change)


class MemoryFiles(MemoryTable[File]):
    kind = "file"

    def _table(self, rows: Rows) -> dict[UUID, File]:
        return rows.files

    def _check(self, entity: File, rows: Rows) -> None:
        if entity.user_id not in rows.users:
            raise NotFound("owner of", f"file {entity.id}")
        if any(f.key == entity.key and f.id != entity.id for f in rows.files.values()):
            raise AlreadyExists(f"a file with the key {entity.key} exists already")

    async def get(self, file_id: FileId) -> File:
        return self._get(file_id)

    async def owned(
        self, owner: UserId, *, id: FileId | None = None, key: str | None = None
    ) -> File:
        theirs = (file for file in self._rows.files.values() if file.user_id == owner)
        if id is not None:
            return self._first(id, (file for file in theirs if file.id == id))
        return self._first(key, (file for file in theirs if file.key == key))

    async def find(self, ids: Collection[FileId]) -> Sequence[File]:
        return [self._rows.files[file_id] for file_id in set(ids) & self._rows.files.keys()]

    async def page(self, owner: UserId, *, offset: int, limit: int) -> Page:
        theirs = [file for file in self._rows.files.values() if file.user_id == owner]
        theirs.sort(key=lambda file: (file.uploaded_at, file.id), reverse=True)
        return Page(theirs[offset : offset + limit], len(theirs))

    async def listed(
        self,
        owner: UserId,
        query: FileQuery,
        *,
        offset: int = 0,
        after: Place | None = None,
        limit: int,
    ) -> Sequence[File]:
        placed = [(query.place_of(file), file) for file in self._asked_for(owner, query)]
        found = _beyond(after, placed, descending=query.sort.is_descending)
        return found[offset : offset + limit]

    async def count(self, owner: UserId, query: FileQuery, *, at_most: int | None = None) -> int:
        return sum(1 for _ in islice(self._asked_for(owner, query), at_most))

    def _asked_for(self, owner: UserId, query: FileQuery) -> Iterable[File]:
        files = self._rows.files.values()
        return (file for file in files if file.user_id == owner and query.takes(file))

    async def after(self, file_id: FileId | None, *, limit: int) -> Sequence[File]:
        ids = sorted(i for i in self._rows.files if file_id is None or i > file_id)
        return [self._rows.files[i] for i in ids[:limit]]

    async def delete(self, file_id: FileId) -> None:
        self._transaction.make(lambda rows: _delete_file(rows, file_id))


def _beyond(after: Place | None, placed: Iterable[tuple[Place, E]], *, descending: bool) -> list[E]:
    """What comes after that place in the order of places."""

    def order(found: tuple[Place, E]) -> tuple[Any, UUID]:
        return found[0].value, found[0].id

    ordered = sorted(placed, key=order, reverse=descending)
    if after is not None:
        start = (after.value, after.id)
        ordered = [p for p in ordered if (order(p) < start if descending else order(p) > start)]
    return [entity for _, entity in ordered]


def _delete_file(rows: Rows, file_id: FileId) -> None:
    if rows.files.pop(file_id, None) is None:
        raise NotFound("file", file_id)
    for job in [job for job in rows.jobs.values() if job.file_id == file_id]:
        del rows.jobs[job.id]


class MemoryJobs(MemoryTable[Job]):
    kind = "job"

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
        return _beyond(after, placed, descending=True)[offset : offset + limit]

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


class MemoryClaims:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def find(self, user_id: UserId, key: IdempotencyKey) -> Claim | None:
        return self._transaction.rows.claims.get((user_id, key))

    async def put(self, claim: Claim, *, before: Claim | None) -> None:
        def change(rows: Rows) -> None:
            if _identity(rows.claims.get((claim.user_id, claim.key))) != _identity(before):
                raise StaleVersion(f"the key {claim.key} is claimed by another request")
            if claim.user_id not in rows.users:
                raise NotFound("user of", f"key {claim.key}")
            rows.claims[claim.user_id, claim.key] = claim

        self._transaction.make(change)

    async def delete(self, claim: Claim) -> None:
        def change(rows: Rows) -> None:
            if _identity(rows.claims.get((claim.user_id, claim.key))) == _identity(claim):
                del rows.claims[claim.user_id, claim.key]

        self._transaction.make(change)

    async def forget(self, before: datetime) -> int:
        def expired(rows: Rows) -> Sequence[tuple[UUID, str]]:
            return [place for place, claim in rows.claims.items() if claim.expires_at < before]

        def change(rows: Rows) -> None:
            for place in expired(rows):
                del rows.claims[place]

        count = len(expired(self._transaction.rows))
        self._transaction.make(change)
        return count


def _identity(claim: Claim | None) -> object:
    return claim and (claim.token, claim.is_answered)


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


class MemoryUnitOfWork:
    files: MemoryFiles
    jobs: MemoryJobs
    users: MemoryUsers
    claims: MemoryClaims
    upkeep: MemoryUpkeep

    def __init__(self, database: "MemoryDatabase", *, read_only: bool) -> None:
        self._database = database
        self._read_only = read_only

    async def now(self) -> datetime:
        return self._database.now()

    async def commit(self) -> None:
        self._database.apply(self._transaction.changes)

    async def __aenter__(self) -> Self:
        transaction = Transaction(self._database.rows, read_only=self._read_only)
        self._transaction = transaction
        self.files = MemoryFiles(transaction)
        self.jobs = MemoryJobs(transaction)
        self.users = MemoryUsers(transaction)
        self.claims = MemoryClaims(transaction)
        self.upkeep = MemoryUpkeep(transaction)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None: ...


class MemoryDatabase:
    """Forgets everything with the process. `now` is the clock that leases are measured by."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.rows = Rows()

    def begin(self, *, read_only: bool = False) -> MemoryUnitOfWork:
        return MemoryUnitOfWork(self, read_only=read_only)

    def apply(self, changes: Sequence[Change]) -> None:
        """All of them or, when one raises, none."""
        rows = self.rows.copy()
        for change in changes:
            change(rows)
        self.rows = rows

    async def migrate(self) -> None:
        """Nothing to do: it is empty at every start."""

    async def ping(self) -> None:
        """It always answers."""


def connect(url: str, *, durable: bool = True) -> MemoryDatabase:
    """A new, empty database for each call, whatever the URL and `durable` say."""
    return MemoryDatabase()
