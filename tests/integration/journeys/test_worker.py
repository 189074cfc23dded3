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
from integration.clients import final, signed_in, upload
from integration.servers import PROGRAM, Server


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


def test_a_server_may_leave_all_work_to_it(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", options=("--no-worker",))
    server.start()
    try:
        assert set(server.children()) == {"_api"}
        with signed_in(server) as client:
            file_id = upload(client)
            assert client.get(f"/files/{file_id}").json()["status"] == "uploaded"
            with worker(server.data_dir):
                assert final(client, file_id)["status"] == "processed"
        assert server.stop() == 0
    finally:
        server.kill()
