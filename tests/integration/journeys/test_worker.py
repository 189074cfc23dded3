"""`docstore worker` as a real process, beside a program that embeds docstore."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import pytest

import docstore
from docstore.domain.lifecycle import FileStatus
from integration.clients import final, signed_in, upload
from integration.remains import select
from integration.servers import Server
from integration.services.redis import redis
from integration.sleeper import with_sleeper
from integration.workers import worker

WHO: Final = "SELECT DISTINCT worker FROM jobs WHERE status = 'processing'"
Queue: TypeAlias = Callable[[], AbstractContextManager[str]]


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


def test_a_server_may_leave_all_work_to_it(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", options=("--no-worker",))
    server.start()
    try:
        assert "_worker" not in server.children()
        with signed_in(server) as client:
            file_id = upload(client)
            assert client.get(f"/files/{file_id}").json()["status"] == "uploaded"
            with worker(server.data_dir):
                assert final(client, file_id)["status"] == "processed"
        assert server.stop() == 0
    finally:
        server.kill()


@contextmanager
def in_memory() -> Iterator[str]:
    yield "memory://"


@contextmanager
def in_redis() -> Iterator[str]:
    with redis() as server:
        yield server.url


@pytest.mark.anyio
@pytest.mark.parametrize("queue", [in_memory, in_redis])
async def test_three_share_a_store(tmp_path: Path, queue: Queue) -> None:
    """All dispatch, reap, reconcile and sweep at once; each job is done once."""
    data, slow = tmp_path / "data", with_sleeper(tmp_path / "packages", seconds=0.3)
    often = {"poll_interval": "0.1", "reap_interval": "0.1", "reconcile_interval": "0.1"}
    environment = {**slow, **{f"DOCSTORE_{name.upper()}": value for name, value in often.items()}}
    async with docstore.open(data, worker=False) as store:
        me = await store.accounts.ensure("me")
        with ExitStack() as stack:
            url = stack.enter_context(queue())
            for _ in range(3):
                stack.enter_context(
                    worker(data, environment=environment, queue_url=url, sweep_grace="20")
                )
            files = [await store.upload(me, b"words", filename=f"{n}.txt") for n in range(24)]
            workers: set[str] = set()
            async with asyncio.timeout(60):
                while await store.count(me, status="processed") < len(files):
                    workers |= {name for (name,) in select(data, WHO)}
                    await asyncio.sleep(0.02)
        for file in files:
            assert await store.read(me, file.id) == b"words"
    assert select(data, "SELECT status, generation, attempts FROM jobs") == [
        ("completed", 1, 1)
    ] * len(files)
    assert len(workers) > 1 or queue is in_memory, "there, one may take all for itself"
