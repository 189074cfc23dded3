import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from docstore.application.ports.blob_store import BlobInfo, BlobStore
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.ids import FileId
from docstore.domain.keys import AREAS, file_of

log = logging.getLogger(__name__)

BATCH: Final = 500  # blobs looked up in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep removed."""

    blobs: int = 0  # that no row names
    leftovers: int = 0  # of puts that never ended
    purges: int = 0  # rows of purges that have ended
    claims: int = 0  # idempotency keys that have expired


@dataclass(frozen=True, slots=True)
class Sweep:
    """Delete what a crash left behind: blobs that no row names, once they are older than `grace`.

    They are found by listing the store, never by rows, and the rows are read *after* the listing.
    That order is what makes it safe: a blob on the list was there before its row was looked for,
    so what that row does not name then, it will never name (`domain.keys` says why).

    What a purge could not delete is found in the same way, so the rows of failed ones go, too.
    """

    begin: Begin
    blobs: BlobStore

    async def __call__(self, *, grace: timedelta) -> Swept:
        async with self.begin() as tx:
            now = await tx.now()
            purges = await tx.upkeep.forget_purges(now - grace)
            claims = await tx.claims.forget(now)
            await tx.commit()
        deleted = 0
        async for batch in self._old(now - grace):
            deleted += await self._sweep(batch)
        leftovers = await self.blobs.tidy(grace)
        return Swept(blobs=deleted, leftovers=leftovers, purges=purges, claims=claims)

    async def _old(self, before: datetime) -> AsyncIterator[Sequence[BlobInfo]]:
        batch: list[BlobInfo] = []
        for area in AREAS:
            async for blob in self.blobs.list(area):
                if blob.stored_at < before:
                    batch.append(blob)
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch

    async def _sweep(self, batch: Sequence[BlobInfo]) -> int:
        owners: dict[str, FileId] = {}
        for blob in batch:
            if (file_id := file_of(blob.key)) is not None:  # else not ours to judge
                owners[blob.key] = file_id
        async with self.begin(read_only=True) as tx:
            files = {file.id: file for file in await tx.files.find(set(owners.values()))}
        unnamed = [
            key
            for key, file_id in owners.items()
            if file_id not in files or not files[file_id].may_use(key)
        ]
        for key in unnamed:
            log.info("sweeping %s", key)
            await self.blobs.delete(key)
        return len(unnamed)
