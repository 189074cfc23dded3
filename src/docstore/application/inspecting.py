"""What an operator wants to know of an installation before it is trusted with files."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.extractor import Confines, Extractor
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.confinement import Confinement
from docstore.domain.errors import Damaged
from docstore.domain.ids import FileId
from docstore.domain.keys import staging_key

PROBE: Final = b"docstore was here for a moment\n" * 1000


@dataclass(frozen=True, slots=True)
class Inspect:
    """Try what else would be found out by the first user. Leaves nothing behind."""

    begin: Begin
    blobs: BlobStore
    new_id: Callable[[], UUID]
    extractor: Callable[[], Extractor]

    def confinement(self) -> Confinement | None:
        """What parsers are kept from; None when none was started here, or none is confined."""
        extractor = self.extractor()
        return extractor.confinement() if isinstance(extractor, Confines) else None

    async def storage(self) -> None:
        """Put some bytes, read them, delete them. Raises what the store raises, or Damaged."""
        key = staging_key(FileId(self.new_id()))  # should we die here, the sweeper finds it
        await self.blobs.put(key, _probe())
        try:
            async with self.blobs.open(key) as body:
                found = b"".join([chunk async for chunk in body])
        finally:
            await self.blobs.delete(key)
        if found != PROBE:
            raise Damaged("the store gave other bytes than it was given")

    async def clock_ahead(self) -> timedelta:
        """How far this machine's clock is ahead of the database's, by which leases are measured."""
        before = datetime.now(UTC)
        async with self.begin(read_only=True) as tx:
            theirs = await tx.now()
        return before + (datetime.now(UTC) - before) / 2 - theirs


async def _probe() -> AsyncIterator[bytes]:
    yield PROBE
