"""The memory adapters, with a witness who sees each change the moment it is made."""

from collections.abc import AsyncIterable, Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Protocol

from docstore.adapters.persistence.memory import Change, MemoryDatabase, Rows
from docstore.adapters.storage.memory import MemoryBlobStore


class Witness(Protocol):
    def committed(self, before: Rows, after: Rows) -> None: ...
    def stored(self, key: str) -> None: ...
    def removed(self, key: str, age: timedelta) -> None: ...


class ObservedDatabase(MemoryDatabase):
    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(now)
        self.witness: Witness | None = None

    def apply(self, changes: Sequence[Change]) -> None:
        before = self.rows
        super().apply(changes)
        if self.witness:
            self.witness.committed(before, self.rows)


class ObservedBlobStore(MemoryBlobStore):
    """Also leaves behind what a put that was killed had written, as a store on disk does."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(now)
        self.now = now
        self.witness: Witness | None = None
        self.leftovers: dict[int, datetime] = {}
        self._puts = count()

    @property
    def keys(self) -> Sequence[str]:
        return [*self._blobs]

    def data(self, key: str) -> bytes | None:
        blob = self._blobs.get(key)
        return blob.data if blob else None

    async def put(self, key: str, body: AsyncIterable[bytes]) -> None:
        temporary = next(self._puts)
        self.leftovers[temporary] = self.now()
        try:
            await super().put(key, body)
        finally:
            self.leftovers.pop(temporary, None)  # not reached by the dead
        self._tell_stored(key)

    async def copy(self, source: str, target: str) -> None:
        await super().copy(source, target)
        self._tell_stored(target)

    async def delete(self, key: str) -> None:
        blob = self._blobs.get(key)
        await super().delete(key)
        if blob and self.witness:
            self.witness.removed(key, self.now() - blob.stored_at)

    async def tidy(self, older_than: timedelta) -> int:
        old = [put for put, since in self.leftovers.items() if since < self.now() - older_than]
        for put in old:
            del self.leftovers[put]
        return len(old)

    def _tell_stored(self, key: str) -> None:
        if self.witness:
            self.witness.stored(key)
