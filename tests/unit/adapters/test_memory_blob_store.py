from datetime import UTC, datetime, timedelta

import pytest

from docstore.adapters.storage.memory import MemoryBlobStore, connect
from docstore.application.ports.blob_store import BlobStore, Pingable
from docstore.testing.blob_store import BlobStoreContract, Tick, chunks, listed


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    async def tick(self) -> None:
        self.time += timedelta(seconds=1)


class TestMemoryBlobStore(BlobStoreContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def tick(self, clock: Clock) -> Tick:
        return clock.tick

    @pytest.fixture
    async def blobs(self, clock: Clock) -> BlobStore:
        return MemoryBlobStore(clock)

    async def test_a_copy_does_not_make_its_source_younger(
        self, blobs: BlobStore, clock: Clock
    ) -> None:
        await blobs.put("a/s", chunks(b"x"))
        await clock.tick()
        await blobs.copy("a/s", "a/t")
        ages = [clock.time - (await blobs.stat(key)).stored_at for key in ("a/s", "a/t")]
        assert ages == [timedelta(seconds=1), timedelta(0)]


@pytest.mark.anyio
async def test_each_url_is_a_store_of_its_own(anyio_backend: str) -> None:
    one, another = connect("memory://"), connect("memory://", durable=False)
    await one.put("k", chunks(b"x"))
    assert await listed(another) == []


@pytest.mark.anyio
async def test_it_answers(anyio_backend: str) -> None:
    store = connect("memory://")
    assert isinstance(store, Pingable)
    await store.ping()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
