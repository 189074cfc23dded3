"""Listings in pages or by cursor. The owner's id is part of every query, as in reading."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import Final, Generic, TypeVar

from docstore.application.cursors import Cursors
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import InvalidField
from docstore.domain.file import File
from docstore.domain.ids import UserId
from docstore.domain.job import Job
from docstore.domain.listing import ALL_FILES, ALL_JOBS, FileQuery, JobQuery, Place

MAX_PAGE_SIZE: Final = 100
COUNTED: Final = 10_000
"""What a listing is counted to. Counting on takes longer the more there is, for a number that
hardly anybody wants."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """A stretch of a listing."""

    items: Sequence[T]
    total: int | None  # of the whole listing; None when it was not counted to its end
    next_cursor: str | None  # of what follows; None at the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What part of a listing is wanted: a page by its number, or what follows a cursor.

    Raises InvalidField. Pages are for people; a walk over all by cursors meets nothing twice and
    misses nothing that is there from its beginning to its end, whatever comes and goes meanwhile.
    """

    page: int | None = None  # from 1; without it and without a cursor, the first
    page_size: int = 20
    cursor: str | None = None
    exact: bool = False  # count beyond COUNTED

    def __post_init__(self) -> None:
        if self.page is not None and self.cursor is not None:
            raise InvalidField(("cursor", "not together with page"))
        if self.page is not None and self.page < 1:
            raise InvalidField(("page", "at least 1"))
        if not 1 <= self.page_size <= MAX_PAGE_SIZE:
            raise InvalidField(("page_size", f"1 to {MAX_PAGE_SIZE}"))

    @property
    def offset(self) -> int:
        return ((self.page or 1) - 1) * self.page_size


FIRST_PAGE: Final = Stretch()


@dataclass(frozen=True, slots=True)
class _Listing(Generic[T]):
    """One owner's listing, of whatever kind."""

    rows: Callable[..., Awaitable[Sequence[T]]]
    count: Callable[..., Awaitable[int]]
    place_of: Callable[[T], Place]
    cursors: Cursors
    scope: str

    async def get(self, wanted: Stretch) -> Listed[T]:
        cursor, size = wanted.cursor, wanted.page_size
        after = None if cursor is None else self.cursors.open(cursor, self.scope)
        # One more than wanted tells whether anything follows.
        found = await self.rows(offset=wanted.offset, after=after, limit=size + 1)
        items, is_last = found[:size], len(found) <= size
        return Listed(
            items,
            None if after else await self._total(wanted, len(items), is_last=is_last),
            None if is_last else self.cursors.seal(self.place_of(items[-1]), self.scope),
        )

    async def _total(self, wanted: Stretch, here: int, *, is_last: bool) -> int | None:
        if is_last and (here or not wanted.offset):
            total = wanted.offset + here
        else:
            total = await self.count(at_most=None if wanted.exact else COUNTED + 1)
        return total if wanted.exact or total <= COUNTED else None


@dataclass(frozen=True, slots=True)
class List:
    """The caller's files."""

    begin: Begin
    cursors: Cursors

    async def __call__(
        self,
        *,
        owner: UserId,
        query: FileQuery = ALL_FILES,
        wanted: Stretch = FIRST_PAGE,
    ) -> Listed[File]:
        async with self.begin(read_only=True) as tx:
            return await _Listing(
                partial(tx.files.listed, owner, query),
                partial(tx.files.count, owner, query),
                query.place_of,
                self.cursors,
                _scope("files", owner, query),
            ).get(wanted)


@dataclass(frozen=True, slots=True)
class ListJobs:
    """The jobs of the caller's files, newest first. What is left to do for deleted ones is ours."""

    begin: Begin
    cursors: Cursors

    async def __call__(
        self,
        *,
        owner: UserId,
        query: JobQuery = ALL_JOBS,
        wanted: Stretch = FIRST_PAGE,
    ) -> Listed[Job]:
        async with self.begin(read_only=True) as tx:
            return await _Listing(
                partial(tx.jobs.listed, owner, query),
                partial(tx.jobs.count, owner, query),
                lambda job: Place(job.queued_at, job.id),
                self.cursors,
                _scope("jobs", owner, query),
            ).get(wanted)


@lru_cache(256)  # most ask the same again, page after page
def _scope(kind: str, owner: UserId, query: FileQuery | JobQuery) -> str:
    return json.dumps([kind, owner.hex, asdict(query)], default=str)
