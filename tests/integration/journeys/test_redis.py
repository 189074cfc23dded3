"""`docstore serve` with its queue and its limits in a real Redis; and without it, for a while."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import httpx
import pytest

from integration.clients import ACCOUNT, TEXT, final, signed_in, upload
from integration.remains import select
from integration.servers import Server, serving
from integration.services.redis import Redis, redis
from integration.sleeper import with_sleeper
from integration.workers import worker

DEGRADED: Final = {
    "status": "degraded",
    "parts": {"database": "ok", "storage": "ok", "queue": "unavailable"},
}


@pytest.fixture
def queue() -> Iterator[Redis]:
    with redis() as server:
        yield server


@pytest.fixture
def server(tmp_path: Path, queue: Redis) -> Iterator[Server]:
    with quick(tmp_path / "data", queue) as started:
        yield started


def quick(data_dir: Path, queue: Redis, *, timeout: str = "1") -> AbstractContextManager[Server]:
    """Looks more often than usual, and waits longer: the machine may be busy."""
    return serving(
        data_dir, queue_url=queue.url, patience="2", poll_interval="0.2", redis_timeout=timeout
    )


def test_an_upload_is_processed_at_once_and_comes_back(tmp_path: Path, queue: Redis) -> None:
    """No loop looks within the hour: the bell wakes the dispatcher, and the hint the worker."""
    data = tmp_path / "data"
    with serving(data, queue_url=queue.url, poll_interval="3600") as server:
        with signed_in(server) as client:
            for _ in range(2):
                view = final(client, upload(client))
                assert view["status"] == "processed"
            assert client.get(view["links"]["content"]).content == TEXT
            assert client.get("/health/ready").json()["status"] == "ok"
        with queue.client() as operator:
            assert operator.keys("docstore:limits:uploads:*")
            assert operator.hlen("docstore:jobs.msgs") == 0, "all hints were acknowledged"
        assert server.stop() == 0
        assert server.command("fsck", "--grace", "0") == {"clean": True, "findings": []}
        assert server.told() == []


def test_a_server_without_a_worker_tells_those_elsewhere(tmp_path: Path, queue: Redis) -> None:
    """No worker looks within the hour; it is told through Redis."""
    server = Server(tmp_path / "data", {"DOCSTORE_QUEUE_URL": queue.url}, options=("--no-worker",))
    server.start()
    try:
        with (
            worker(server.data_dir, queue_url=queue.url, poll_interval="3600"),
            signed_in(server) as client,
        ):
            for _ in range(2):
                assert final(client, upload(client))["status"] == "processed"
        assert server.stop() == 0
    finally:
        server.kill()


def test_another_worker_takes_its_share(tmp_path: Path, queue: Redis) -> None:
    data, slow = tmp_path / "data", with_sleeper(tmp_path / "packages", seconds=0.5)
    serve = serving(data, environment=slow, queue_url=queue.url, workers="1")
    with serve as server, signed_in(server) as client:
        with worker(data, environment=slow, queue_url=queue.url) as another:
            files = [upload(client) for _ in range(6)]
            until(lambda: len(at_work(data)) == 2)
            another.send_signal(signal.SIGTERM)
            assert another.wait(20) == 0
            until(lambda: len(at_work(data)) <= 1)
        assert {final(client, file_id)["status"] for file_id in files} == {"processed"}
    jobs = select(data, "SELECT status, attempts FROM jobs")
    assert jobs == [("completed", 1)] * len(files)


def at_work(data_dir: Path) -> set[str]:
    """The names of the workers that hold a job now."""
    found = select(data_dir, "SELECT worker FROM jobs WHERE status = 'processing'")
    return {name for (name,) in found}


def until(holds: Callable[[], bool]) -> None:
    patience = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < patience
        time.sleep(0.02)


def all_but_processing_goes_on(server: Server) -> str:
    """For somebody new; the id of the file that he uploads."""
    account = {**ACCOUNT, "email": "ben@example.org"}
    with httpx.Client(base_url=server.url, timeout=30) as client:
        client.post("/auth/register", json=account).raise_for_status()
        wrong = client.post("/auth/login", json={**account, "password": "not the one"})
        assert wrong.status_code == 401
        answer = client.post("/auth/login", json=account).raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        file_id = upload(client)
        assert client.get("/files").raise_for_status().json()["total"] == 1
        assert client.get(f"/files/{file_id}").raise_for_status().json()["status"] == "uploaded"
        assert client.get(f"/files/{file_id}/content").content == TEXT
        edit = client.patch(f"/files/{file_id}", json={"title": "Dusk"})
        assert edit.raise_for_status().json()["title"] == "Dusk"
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()) == (200, DEGRADED)
        assert server.command("doctor", status=1)
    return file_id


def is_processed(server: Server, file_id: str) -> None:
    account = {**ACCOUNT, "email": "ben@example.org"}
    with httpx.Client(base_url=server.url, timeout=30) as client:
        token = client.post("/auth/login", json=account).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        assert final(client, file_id)["status"] == "processed"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_while_redis_is_away_all_but_processing_goes_on(
    server: Server, queue: Redis, how: signal.Signals
) -> None:
    with signed_in(server) as client:
        assert final(client, upload(client))["status"] == "processed"
    queue.stop(how)
    file_id = all_but_processing_goes_on(server)
    queue.start()
    is_processed(server, file_id)
    ((_, most),) = Counter(server.told()).most_common(1)
    assert most <= 2, "each process tells once"
    assert "Traceback" not in server.log.read_text()


def test_while_redis_hangs_all_but_processing_goes_on(tmp_path: Path, queue: Redis) -> None:
    with quick(tmp_path / "data", queue, timeout="0.1") as server:
        queue.send(signal.SIGSTOP)
        file_id = all_but_processing_goes_on(server)
        queue.send(signal.SIGCONT)
        is_processed(server, file_id)


def test_it_starts_without_redis(tmp_path: Path, queue: Redis) -> None:
    queue.stop()
    with quick(tmp_path / "data", queue) as server:
        file_id = all_but_processing_goes_on(server)
        queue.start()
        is_processed(server, file_id)
        assert server.stop() == 0


def test_limits_hold_for_all_who_share_it(tmp_path: Path, queue: Redis) -> None:
    """Guesses from one address at two servers, which have nothing else in common."""
    with (
        serving(tmp_path / "one", queue_url=queue.url, login_rate="5/minute") as one,
        serving(tmp_path / "two", queue_url=queue.url, login_rate="5/minute") as two,
    ):
        answers = [guess(server) for server in (one, two, one, two, one, two, one, two)]
    assert answers == [401] * 5 + [429] * 3


def test_r4_guesses_are_limited_without_redis(tmp_path: Path, queue: Redis) -> None:
    with serving(
        tmp_path / "data", queue_url=queue.url, login_rate="5/minute", api_processes="1"
    ) as server:
        assert guess(server) == 401
        queue.stop()
        assert [guess(server) for _ in range(7)] == [401] * 4 + [429] * 3


def guess(server: Server) -> int:
    return httpx.post(f"{server.url}/auth/login", json=ACCOUNT, timeout=30).status_code
