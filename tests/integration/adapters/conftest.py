from collections.abc import Iterator

import pytest

from integration.services.redis import Redis, redis


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """For tests that leave it running; each takes a prefix of its own."""
    with redis() as server:
        yield server
