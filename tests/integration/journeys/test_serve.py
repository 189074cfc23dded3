"""`docstore serve` as a real process: what its operator may rely on."""

import asyncio
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from integration.clients import TEXT, final, signed_in, upload
from integration.servers import (
    PROGRAM,
    DidNotStart,
    Server,
    descendants,
    is_running,
    serving,
    wait_until_gone,
)
from integration.sleeper import with_sleeper

HALF = b"x" * (4 * 1024 * 1024)  # more than the server keeps in memory


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data") as started:
        yield started


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """For tests that leave it as it is."""
    with serving(tmp_path_factory.mktemp("shared") / "data") as started:
        yield started


def test_an_upload_is_processed_at_once_and_comes_back(tmp_path: Path) -> None:
    """The worker is told of it: it looks by itself once an hour."""
    with serving(tmp_path / "data", poll_interval="3600") as server:
        with signed_in(server) as client:
            for _ in range(2):
                view = final(client, upload(client))
                assert view["status"] == "processed"
            assert view["extracted"]["text"]["words"] == 6
            assert client.get(view["links"]["content"]).content == TEXT
        assert server.stop() == 0
        assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
        assert server.command("fsck", "--grace", "0") == {"clean": True, "findings": []}
        assert server.told() == []


def test_a_second_serve_is_refused(shared: Server) -> None:
    second = Server(shared.data_dir)
    with pytest.raises(DidNotStart) as refused:
        second.start()
    assert refused.value.status == 3
    (line,) = refused.value.said.splitlines()
    assert f"held by another docstore serve (process {shared.pid})" in line
    assert httpx.get(f"{shared.url}/health").status_code == 200


def test_nothing_outlives_a_killed_supervisor(server: Server) -> None:
    with signed_in(server) as client:
        final(client, upload(client))  # all is up
        file_id = upload(client)
    below = descendants(server.pid)
    assert {"_api", "_worker"} <= set(server.children())
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    wait_until_gone(*below)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{server.url}/health")
    server.start()
    with signed_in(server) as client:
        assert final(client, file_id)["status"] == "processed"
        assert client.get(f"/files/{file_id}/content").content == TEXT


def test_an_api_process_that_dies_is_started_again(server: Server) -> None:
    before = server.children()["_api"]
    os.kill(before, signal.SIGKILL)
    wait_until_gone(before)
    with signed_in(server) as client:  # the socket is still there: the connection waits
        assert final(client, upload(client))["status"] == "processed"
    assert server.children()["_api"] != before
    (line,) = server.told()
    assert line.endswith("the API process 1 was ended by SIGKILL; it starts again in 0.2 s")


@pytest.mark.anyio
async def test_sigterm_lets_an_upload_finish(server: Server) -> None:
    """Its second half is sent only after the server was told to stop."""
    with signed_in(server) as client:
        headers = dict(client.headers)
    told = asyncio.Event()

    async def halves() -> AsyncIterator[bytes]:
        yield HALF
        await told.wait()
        yield HALF

    headers["Content-Type"] = "application/octet-stream"
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as slow:
        sending = asyncio.create_task(
            slow.post("/files", params={"filename": "slow.txt"}, content=halves())
        )
        await asyncio.to_thread(wait_for_staging, server.data_dir)
        server.send(signal.SIGTERM)
        await asyncio.to_thread(wait_until_refused, server.url)
        told.set()
        answer = await sending
    assert (answer.status_code, answer.json()["size"]) == (201, 2 * len(HALF))
    assert await asyncio.to_thread(server.wait) == 0
    assert server.command("fsck", "--grace", "0")["clean"]


def wait_for_staging(data_dir: Path) -> None:
    """Until bytes of an upload have arrived."""
    until = time.monotonic() + 20
    while not any(path.is_file() for path in (data_dir / "blobs").rglob("*")):
        assert time.monotonic() < until
        time.sleep(0.01)


def wait_until_refused(url: str) -> None:
    """Until the server takes no more connections."""
    until = time.monotonic() + 20
    while True:
        try:
            httpx.get(f"{url}/health", timeout=0.2)
        except httpx.TransportError:
            return
        assert time.monotonic() < until
        time.sleep(0.02)


@contextmanager
def half_an_upload(server: Server) -> Iterator[None]:
    """While inside, an upload has begun that never ends."""
    with signed_in(server) as client:
        token = client.headers["Authorization"]
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        head = (
            "POST /files?filename=half.txt HTTP/1.1",
            "Host: localhost",
            f"Authorization: {token}",
            "Content-Type: application/octet-stream",
            f"Content-Length: {2 * len(HALF)}",
        )
        line.sendall("\r\n".join((*head, "", "")).encode() + HALF)
        wait_for_staging(server.data_dir)
        yield


def test_a_request_that_does_not_end_is_cut_at_the_limit(tmp_path: Path) -> None:
    with serving(tmp_path / "data", drain_timeout="0.5") as server, half_an_upload(server):
        assert server.stop() == 0
        assert server.command("sweep", "--grace", "0")
        assert server.command("fsck", "--grace", "0")["clean"]


def test_a_second_signal_stops_at_once(server: Server) -> None:
    with half_an_upload(server):
        below = descendants(server.pid)
        server.send(signal.SIGINT)
        wait_until_refused(server.url)
        assert is_running(server.children()["_api"])
        server.send(signal.SIGINT)
        server.wait()
        wait_until_gone(*below)


@pytest.fixture
def sleeper(tmp_path: Path) -> Mapping[str, str]:
    return with_sleeper(tmp_path / "packages", seconds=60)


def jobs(data_dir: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(data_dir / "docstore.db")) as db:
        return db.execute("SELECT status, attempts, releases, worker FROM jobs").fetchall()


def wait_for_processing(client: httpx.Client, file_id: str) -> None:
    until = time.monotonic() + 20
    while client.get(f"/files/{file_id}").json()["status"] != "processing":
        assert time.monotonic() < until
        time.sleep(0.02)


def test_sigterm_gives_running_jobs_back(tmp_path: Path, sleeper: Mapping[str, str]) -> None:
    with serving(tmp_path / "data", environment=sleeper) as server:
        with signed_in(server) as client:
            wait_for_processing(client, upload(client))
        ((status, attempts, _, worker),) = jobs(server.data_dir)
        assert (status, attempts) == ("processing", 1)
        assert worker
        assert server.stop() == 0
        assert jobs(server.data_dir) == [("queued", 0, 1, None)]


@pytest.mark.parametrize("whole", [True, False], ids=["supervisor", "worker"])
def test_the_jobs_of_the_killed_are_given_back_at_the_next_start(
    tmp_path: Path, sleeper: Mapping[str, str], whole: bool
) -> None:
    with serving(tmp_path / "data", environment=sleeper) as server:
        with signed_in(server) as client:
            wait_for_processing(client, upload(client))
        ((_, _, _, before),) = jobs(server.data_dir)
        if whole:
            server.kill()
            server.start()
        else:
            os.kill(server.children()["_worker"], signal.SIGKILL)
        until = time.monotonic() + 20
        while (now := jobs(server.data_dir)) != [("processing", 1, 1, now[0][3])]:
            assert time.monotonic() < until, now
            time.sleep(0.05)
        assert now[0][3] != before


def test_newer_data_is_refused(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    subprocess.run(
        [*PROGRAM, "migrate", "--data-dir", str(server.data_dir)], check=True, capture_output=True
    )
    with closing(sqlite3.connect(server.data_dir / "docstore.db")) as db, db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DidNotStart) as refused:
        server.start()
    assert refused.value.status == 4
    (line,) = refused.value.said.splitlines()
    assert "made by a newer docstore" in line


def test_a_taken_port_is_said_in_one_line(shared: Server, tmp_path: Path) -> None:
    port = shared.url.rsplit(":")[-1]
    done = subprocess.run(
        [*PROGRAM, "serve", "--port", port, "--data-dir", str(tmp_path / "other")],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"docstore: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
    )


def test_the_lock_is_held_by_every_process_but_the_parsers(shared: Server) -> None:
    """No `serve` starts beside what is left of another; a parser that is left over may be there.
    Nor has a parser any socket.
    """
    with signed_in(shared) as client:
        final(client, upload(client))  # now there is a parser
    lock = identity(shared.data_dir / "serve.lock")
    for pid in (shared.pid, *shared.children().values()):
        assert lock in descriptors(pid)
    parsers = descendants(shared.children()["_worker"])
    assert parsers
    harmless = {identity(Path(path)) for path in ("/dev/null", shared.log)}
    for pid in parsers:
        assert descriptors(pid) & descriptors(shared.pid) <= harmless


def descriptors(pid: int) -> set[tuple[int, int]]:
    """Device and inode of each open file of a process."""
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed just now
            if "anon_inode" not in os.readlink(each):
                found.add(identity(each))
    return found


def identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process has one niceness")
def test_the_worker_gives_way_and_its_parsers_less(shared: Server) -> None:
    with signed_in(shared) as client:
        final(client, upload(client))  # all is up
    ours, children = own_niceness(os.getpid()), shared.children()
    assert {own_niceness(pid) for name, pid in children.items() if "_api" in name} == {ours}
    worker = children["_worker"]
    assert own_niceness(worker) == 19
    parsers = descendants(worker)
    assert parsers
    assert {own_niceness(pid) for pid in parsers} == {min(19, ours + 10)}, (
        "they have limits by the clock"
    )


def own_niceness(pid: int) -> int:
    """Of its main thread."""
    return os.getpriority(os.PRIO_PROCESS, pid)
