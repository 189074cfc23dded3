from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from uuid import UUID

from docstore.adapters.persistence.memory.table import MemoryTable, beyond
from docstore.adapters.persistence.memory.transaction import Rows, delete_file
from docstore.application.ports.unit_of_work import Page
from docstore.domain.errors import AlreadyExists, NotFound
from docstore.domain.file import FIXED, File
from docstore.domain.ids import FileId, UserId
from docstore.domain.listing import FileQuery, Place
from docstore.domain.versions import Versions


class MemoryFiles(MemoryTable[File]):
    kind = "file"
    fixed = FIXED

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

    async def versions(self, owner: UserId, id: FileId) -> Versions:
        file = await self.owned(owner, id=id)
        jobs = (job for job in self._rows.jobs.values() if job.file_id == id)
        return Versions(file.version, frozenset((job.id, job.version) for job in jobs))

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
        found = beyond(after, placed, descending=query.sort.is_descending)
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
        self._transaction.make(lambda rows: delete_file(rows, file_id))
