from collections.abc import AsyncIterator

import pytest

from docstore.application.ports.processor import ProcessorOptions
from docstore.entrypoints.http import protocol
from docstore.entrypoints.http import server as http_server
from security.hostile import MARKS
from security.stand import Stand, opened
from security.wire import served


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def shared(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stand]:
    """For attacks that are content with the default settings."""
    async with opened(tmp_path_factory.mktemp("stand") / "data") as stand:
        yield stand


@pytest.fixture(scope="module")
async def server(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stand]:
    """On a socket, and quick to lose its patience."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "HEAD_SECONDS", 1.0)
        patch.setattr(http_server, "UNREAD", 1000)
        folder = tmp_path_factory.mktemp("server") / "data"
        async with served(folder, receive_timeout=0.5, drain_timeout=2) as stand:
            yield stand


@pytest.fixture(scope="module")
async def jailed(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stand]:
    """With a worker whose parsers run as they do for users, hostile ones among them."""
    hostile = [kind(ProcessorOptions()) for kind in MARKS]
    folder = tmp_path_factory.mktemp("jail") / "data"
    async with opened(folder, hostile, isolation="jail", max_attempts=1) as stand:
        yield stand
