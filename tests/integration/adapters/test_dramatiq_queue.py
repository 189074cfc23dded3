"""The queue's contract, on a real Redis."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from docstore.adapters.queue.dramatiq import connect
from docstore.application.ports.job_queue import JobQueue
from docstore.testing import JobQueueContract
from integration.services.redis import Redis


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _a_store_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCSTORE_REDIS_PREFIX", f"test-{uuid4().hex}")
    monkeypatch.setenv("DOCSTORE_REDIS_TIMEOUT", "10")  # the machine may be busy


class TestDramatiqJobQueue(JobQueueContract):
    @pytest.fixture
    async def queue(self, redis_server: Redis) -> AsyncIterator[JobQueue]:
        async with connect(redis_server.url) as queue:
            yield queue
