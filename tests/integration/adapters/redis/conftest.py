from collections.abc import Iterator
from uuid import uuid4

import pytest

from integration.services.redis import Redis, redis


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """For tests that leave it as it is; each has a prefix of its own."""
    with redis() as server:
        yield server


@pytest.fixture
def server() -> Iterator[Redis]:
    """For a test that harms it."""
    with redis() as server:
        yield server


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch) -> str:
    prefix = f"test-{uuid4().hex}"
    monkeypatch.setenv("DOCSTORE_REDIS_PREFIX", prefix)
    monkeypatch.setenv("DOCSTORE_REDIS_TIMEOUT", "10")  # the machine may be busy
    return prefix
