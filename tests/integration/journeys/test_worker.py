"""`docstore worker` as a real process, beside a program that embeds docstore."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import docstore
from docstore.domain.lifecycle import FileStatus
from integration.servers import PROGRAM


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextmanager
def worker(data_dir: Path) -> Iterator["subprocess.Popen[str]"]:
    """One that works; killed on leaving unless it has ended."""
    own = {name: value for name, value in os.environ.items() if "DOCSTORE_" not in name}
    process = subprocess.Popen(
        [*PROGRAM, "worker", "--data-dir", str(data_dir)],
        env={**own, "DOCSTORE_WORKERS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "the worker runs (1 at once)\n"
            yield process
        finally:
            process.kill()


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
