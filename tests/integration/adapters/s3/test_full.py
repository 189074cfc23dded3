"""A store without room, on a real server: its folder is a small filesystem of its own."""

from datetime import timedelta
from pathlib import Path

import pytest

from docstore.adapters.storage.s3 import connect
from docstore.domain.errors import OutOfSpace
from docstore.testing.blob_store import chunks, listed, read
from docstore.testing.bodies import patterned
from integration.mounts import tmpfs
from integration.services.versitygw import versitygw

pytestmark = pytest.mark.anyio

MIB = 1024**2


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_full_store_is_out_of_space_and_can_be_cured(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    with tmpfs(folder, size=24 * MIB), versitygw(folder) as server:
        async with connect(server.url("bucket")) as store:
            await store.migrate()
            await store.put("a/there", chunks(b"there"))
            with pytest.raises(OutOfSpace):
                await store.put("a/b", chunks(patterned(40 * MIB)))
            assert await listed(store) == ["a/there"]
        async with connect(server.url("bucket")) as store:
            await store.tidy(timedelta(0))
            await store.put("a/b", chunks(patterned(6 * MIB)))
            assert await read(store, "a/b") == patterned(6 * MIB)
