from collections.abc import Collection, Sequence
from itertools import islice
from typing import Final

from sqlalchemy import Integer, bindparam, func, select

from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.rows import to_file
from docstore.adapters.persistence.sql.tables import files
from docstore.adapters.persistence.sql.versioned import Statements, VersionedRows
from docstore.application.ports.unit_of_work import Page
from docstore.domain.file import File
from docstore.domain.ids import FileId, UserId

_BATCH: Final = 500  # ids in one statement; databases limit its parameters, some to 999

_limit = bindparam("limit", type_=Integer)
_offset = bindparam("offset", type_=Integer)
_owners = files.c.user_id == bindparam("owner")

OWNED_BY_ID: Final = select(files).where(_owners, files.c.id == bindparam("id"))
OWNED_BY_KEY: Final = select(files).where(_owners, files.c.key == bindparam("key"))
PAGE: Final = (
    select(files)
    .where(_owners)
    .order_by(files.c.uploaded_at.desc(), files.c.id.desc())
    .limit(_limit)
    .offset(_offset)
)
COUNT: Final = select(func.count()).select_from(files).where(_owners)
FIRST: Final = select(files).order_by(files.c.id).limit(_limit)
AFTER: Final = FIRST.where(files.c.id > bindparam("after"))
FIND: Final = select(files).where(files.c.id.in_(bindparam("ids", expanding=True)))


class SqlFiles(VersionedRows[File]):
    kind = "file"
    parent = "owner"
    statements = Statements(files)
    read = to_file

    async def get(self, file_id: FileId) -> File:
        return await self._by_id(file_id)

    async def owned(
        self, owner: UserId, *, id: FileId | None = None, key: str | None = None
    ) -> File:
        if id is not None:
            return await self._one(id, OWNED_BY_ID, owner=owner, id=id)
        return await self._one(key, OWNED_BY_KEY, owner=owner, key=key)

    async def find(self, ids: Collection[FileId]) -> Sequence[File]:
        found: list[File] = []
        rest = iter(set(ids))
        while batch := list(islice(rest, _BATCH)):
            found += await self._all(FIND, ids=batch)
        return found

    async def page(self, owner: UserId, *, offset: int, limit: int) -> Page:
        items = await self._all(PAGE, owner=owner, offset=offset, limit=limit)
        with sql_errors("listing"):
            total = (await self._db.execute(COUNT, {"owner": owner})).scalar_one()
        return Page(items, total)

    async def after(self, file_id: FileId | None, *, limit: int) -> Sequence[File]:
        if file_id is None:
            return await self._all(FIRST, limit=limit)
        return await self._all(AFTER, after=file_id, limit=limit)

    async def delete(self, file_id: FileId) -> None:
        await self._delete(file_id)
