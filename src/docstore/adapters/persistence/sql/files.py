from collections.abc import Collection, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, bindparam, delete, func, select

from docstore.adapters.persistence.sql import listing
from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.rows import from_file, to_file
from docstore.adapters.persistence.sql.tables import file_counts, files, jobs
from docstore.adapters.persistence.sql.versioned import MANY, Statements, VersionedRows
from docstore.application.ports.unit_of_work import Page
from docstore.domain.errors import NotFound
from docstore.domain.file import FIXED, File
from docstore.domain.ids import FileId, UserId
from docstore.domain.listing import FileQuery, Place, of_status
from docstore.domain.versions import Versions

_FAR: Final = 5_000  # entries of an index: walking over more does

_limit = bindparam("limit", type_=Integer)
_offset = bindparam("offset", type_=BigInteger)
_owners = files.c.user_id == bindparam("owner")

OWNED_BY_ID: Final = select(files).where(_owners, files.c.id == bindparam("id"))
OWNED_BY_KEY: Final = select(files).where(_owners, files.c.key == bindparam("key"))

VERSIONS: Final = (
    select(files.c.version, jobs.c.id, jobs.c.version)
    .select_from(files.outerjoin(jobs, jobs.c.file_id == files.c.id))
    .where(_owners, files.c.id == bindparam("id"))
)


def _page(*order: ColumnElement[Any]) -> Select[Any]:
    # The inner question is answered by the index alone, so that no row is read to be skipped.
    ids = select(files.c.id).where(_owners).order_by(*order).limit(_limit).offset(_offset)
    return (
        select(files)
        .where(files.c.id.in_(ids))
        .order_by(files.c.uploaded_at.desc(), files.c.id.desc())
    )


FROM_NEWEST: Final = _page(files.c.uploaded_at.desc(), files.c.id.desc())
FROM_OLDEST: Final = _page(files.c.uploaded_at, files.c.id)
TOTAL: Final = select(func.coalesce(func.sum(file_counts.c.total), 0)).where(
    file_counts.c.user_id == bindparam("owner")
)
TOTAL_OF_STATUS: Final = TOTAL.where(file_counts.c.status == bindparam("status"))
FIRST: Final = select(files).order_by(files.c.id).limit(_limit)
AFTER: Final = FIRST.where(files.c.id > bindparam("after"))
FIND: Final = select(files).where(files.c.id.in_(bindparam("ids", expanding=True)))
# Jobs before their files, as whoever runs one goes: else the two could wait for each other.
DELETE_JOBS: Final = delete(jobs).where(jobs.c.file_id == bindparam("file_id"))


class Reach(NamedTuple):
    """Of a page of a listing: the files before it, those on it, and from which end."""

    skipped: int
    length: int
    is_from_end: bool = False


class SqlFiles(VersionedRows[File]):
    kind = "file"
    parent = "owner"
    statements = Statements(files, FIXED)
    read = to_file
    written = from_file

    async def get(self, file_id: FileId) -> File:
        return await self._by_id(file_id)

    async def owned(
        self, owner: UserId, *, id: FileId | None = None, key: str | None = None
    ) -> File:
        if id is not None:
            return await self._one(id, OWNED_BY_ID, {"owner": owner, "id": id})
        return await self._one(key, OWNED_BY_KEY, {"owner": owner, "key": key})

    async def versions(self, owner: UserId, id: FileId) -> Versions:
        with sql_errors(self.kind):
            found: Sequence[Sequence[Any]] = await self._db.fetch(
                VERSIONS, {"owner": owner, "id": id}
            )
        if not found:
            raise NotFound(self.kind, id)
        jobs = [(job, version) for _, job, version in found if job is not None]
        return Versions(found[0][0], frozenset(jobs))

    async def find(self, ids: Collection[FileId]) -> Sequence[File]:
        return await self._by_ids(FIND, ids)

    async def page(self, owner: UserId, *, offset: int, limit: int) -> Page:
        total = await self._number(TOTAL, {"owner": owner})
        length = min(limit, total - offset)
        if length <= 0:
            return Page([], total)
        # Counted from the end that is nearer, for the entries before a page are walked over.
        statement, skipped = min(
            (FROM_NEWEST, offset), (FROM_OLDEST, total - offset - length), key=itemgetter(1)
        )
        place = {"owner": owner, "offset": skipped, "limit": length}
        is_long = length > MANY or skipped > _FAR
        return Page(await self._all(statement, place, long=is_long), total)

    async def listed(
        self,
        owner: UserId,
        query: FileQuery,
        *,
        offset: int = 0,
        after: Place | None = None,
        limit: int,
    ) -> Sequence[File]:
        reach = await self._reach(owner, query, offset, limit)
        if reach.length <= 0:
            return []
        statement = listing.files_of(
            listing.kind_of(query),
            query.sort,
            is_after=after is not None,
            from_end=reach.is_from_end,
        )
        values = {"owner": owner, "limit": reach.length, **listing.values_of(query)}
        is_long = not query.takes_all or reach.length > MANY or reach.skipped > _FAR
        values |= listing.start_of(reach.skipped, after)
        return await self._all(statement, values, long=is_long)

    async def count(self, owner: UserId, query: FileQuery, *, at_most: int | None = None) -> int:
        if query == of_status(query.status, query.sort):
            statement = TOTAL if query.status is None else TOTAL_OF_STATUS
            return await self._number(
                statement, {"owner": owner, "status": query.status and query.status.value}
            )
        statement = listing.count_of_files(listing.kind_of(query), is_bounded=at_most is not None)
        values = {"owner": owner, "at_most": at_most, **listing.values_of(query)}
        return await self._number(statement, values, long=True)

    async def _reach(self, owner: UserId, query: FileQuery, offset: int, limit: int) -> Reach:
        """Counted from the end that is nearer, for the entries before a page are walked over."""
        if offset <= limit or not query.takes_all:
            return Reach(offset, limit)
        total = await self.count(owner, query)
        length = min(limit, total - offset)
        behind = total - offset - length
        return Reach(behind, length, True) if behind < offset else Reach(offset, length)

    async def after(self, file_id: FileId | None, *, limit: int) -> Sequence[File]:
        is_long = limit > MANY
        if file_id is None:
            return await self._all(FIRST, {"limit": limit}, long=is_long)
        return await self._all(AFTER, {"after": file_id, "limit": limit}, long=is_long)

    async def delete(self, file_id: FileId) -> None:
        await self._change(DELETE_JOBS, {"file_id": file_id})
        await self._delete(file_id)
