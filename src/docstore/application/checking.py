"""Does what is stored agree with what is recorded? And does what we lean on answer?"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from docstore.application.ports.blob_store import BlobStore, Pingable
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import DocstoreError, NotFound
from docstore.domain.file import File
from docstore.domain.ids import FileId
from docstore.domain.keys import AREAS, file_of

PAGE: Final = 200  # rows read in one transaction


class Trouble(StrEnum):
    MISSING = "missing"  # a row names bytes that are not there
    WRONG_SIZE = "wrong-size"
    WRONG_HASH = "wrong-hash"
    ORPHAN = "orphan"  # bytes that no row names, older than the grace
    FOREIGN = "foreign"  # bytes under a key that docstore never makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One disagreement between the rows and the store."""

    trouble: Trouble
    key: str
    file_id: FileId | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Compare every row with the store and every blob with the rows. Changes nothing.

    Safe while docstore runs: what looks wrong is looked at once more before it is told.
    """

    begin: Begin
    blobs: BlobStore

    async def __call__(self, *, grace: timedelta, read_data: bool = True) -> AsyncIterator[Finding]:
        """What is wrong. `read_data` also hashes every original."""
        async for file in self._files():
            for key in sorted(file.blob_keys()):
                if finding := await self._check(file, key, read_data):
                    yield finding
        async for finding in self._orphans(grace):
            yield finding

    async def _files(self) -> AsyncIterator[File]:
        last: FileId | None = None
        while True:
            async with self.begin(read_only=True) as tx:
                files = await tx.files.after(last, limit=PAGE)
            for file in files:
                yield file
            if len(files) < PAGE:
                return
            last = files[-1].id

    async def _check(self, file: File, key: str, read_data: bool) -> Finding | None:
        try:
            trouble = await self._trouble(file, key, read_data)
        except NotFound:
            trouble = Trouble.MISSING
        if trouble is None or not await self._still_names(file.id, key):
            return None
        return Finding(
            trouble=trouble, key=key, file_id=file.id, detail=f"file {file.original_filename!r}"
        )

    async def _trouble(self, file: File, key: str, read_data: bool) -> Trouble | None:
        stored = await self.blobs.stat(key)
        sizes = {file.storage_path: file.size, **{r.key: r.size for r in file.renditions}}
        if stored.size != sizes.get(key, stored.size):
            return Trouble.WRONG_SIZE
        if read_data and key == file.storage_path and await self._hash(key) != file.sha256:
            return Trouble.WRONG_HASH
        return None

    async def _hash(self, key: str) -> str:
        digest = sha256()
        async with self.blobs.open(key) as body:
            async for chunk in body:
                digest.update(chunk)
        return digest.hexdigest()

    async def _still_names(self, file_id: FileId, key: str) -> bool:
        async with self.begin(read_only=True) as tx:
            found = await tx.files.find([file_id])
        return any(key in file.blob_keys() for file in found)

    async def _orphans(self, grace: timedelta) -> AsyncIterator[Finding]:
        async with self.begin(read_only=True) as tx:
            before = await tx.now() - grace
        for area in AREAS:
            async for blob in self.blobs.list(area):
                file_id = file_of(blob.key)
                if file_id is None:
                    yield Finding(trouble=Trouble.FOREIGN, key=blob.key, file_id=None)
                elif blob.stored_at < before and not await self._may_use(file_id, blob.key):
                    yield Finding(trouble=Trouble.ORPHAN, key=blob.key, file_id=file_id)

    async def _may_use(self, file_id: FileId, key: str) -> bool:
        async with self.begin(read_only=True) as tx:
            found = await tx.files.find([file_id])
        return any(file.may_use(key) for file in found)


@dataclass(frozen=True, slots=True)
class CheckHealth:
    """Whether each part that docstore leans on answers."""

    parts: Mapping[str, object]

    async def __call__(self) -> Mapping[str, str]:
        """Part to `ok`, or to the code of what is wrong; one that cannot be asked is ok."""
        return {name: await self._ask(part) for name, part in self.parts.items()}

    async def _ask(self, part: object) -> str:
        if not isinstance(part, Pingable):
            return "ok"
        try:
            await part.ping()
        except DocstoreError as error:
            return error.code
        return "ok"
