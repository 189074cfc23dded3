"""`docstore worker` as a real process, beside a program that embeds docstore."""

import signal
from pathlib import Path

import pytest

import docstore
from docstore.domain.lifecycle import FileStatus
from integration.workers import worker


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_it_processes_what_others_upload(tmp_path: Path, stop: signal.Signals) -> None:
    with worker(tmp_path) as process:
        async with docstore.open(tmp_path, worker=False) as store:
            me = await store.accounts.ensure("me")
            file = await store.upload(me, b"The lamp was lit.", filename="notes.txt")
            file = await store.wait(me, file.id, seconds=30)
        assert file.status is FileStatus.PROCESSED
        process.send_signal(stop)
        assert process.wait(20) == 0
