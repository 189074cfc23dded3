"""The contract of a blob store, on every S3 server that we claim to know."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import anyio
import pytest

from docstore.adapters.storage.s3 import S3BlobStore, connect
from docstore.testing.blob_store import BlobStoreContract, Tick
from integration.services.minio import minio
from integration.services.moto import moto
from integration.services.s3 import S3Server
from integration.services.versitygw import versitygw

SERVERS: dict[str, Callable[[Path], AbstractContextManager[S3Server]]] = {
    "minio": minio,
    "versitygw": versitygw,
    "moto": moto,
}


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[S3Server]:
    name: str = request.param
    with SERVERS[name](tmp_path_factory.mktemp(name)) as started:
        yield started


class TestS3BlobStore(BlobStoreContract):
    @pytest.fixture
    async def blobs(self, server: S3Server) -> AsyncIterator[S3BlobStore]:
        async with connect(server.url(f"test-{uuid4()}")) as store:
            await store.migrate()
            yield store

    @pytest.fixture
    def tick(self) -> Tick:
        return lambda: anyio.sleep(1.1)  # HTTP dates know no finer time
