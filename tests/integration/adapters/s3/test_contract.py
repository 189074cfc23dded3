"""The contract of a blob store, on every S3 server that we claim to know."""

from collections.abc import AsyncIterator
from uuid import uuid4

import anyio
import pytest

from docstore.adapters.storage.s3 import S3BlobStore, connect
from docstore.testing.blob_store import BlobStoreContract, Tick
from integration.services.s3 import S3Server


class TestS3BlobStore(BlobStoreContract):
    @pytest.fixture
    async def blobs(self, each_server: S3Server) -> AsyncIterator[S3BlobStore]:
        async with connect(each_server.url(f"test-{uuid4()}")) as store:
            await store.migrate()
            yield store

    @pytest.fixture
    def tick(self) -> Tick:
        return lambda: anyio.sleep(1.1)  # HTTP dates know no finer time
