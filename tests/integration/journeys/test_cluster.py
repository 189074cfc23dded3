"""Many servers and workers, of which none is special: all on PostgreSQL, S3 and Redis."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from integration.clients import TEXT, final, signed_in, upload
from integration.cluster import Cluster, Services
from integration.services.postgresql import postgresql
from integration.services.redis import redis
from integration.services.s3_servers import some_server
from integration.sleeper import with_sleeper

OFTEN = {
    "DOCSTORE_POLL_INTERVAL": "0.2",
    "DOCSTORE_PATIENCE": "2",
    "DOCSTORE_LEASE": "6",
    "DOCSTORE_HEARTBEAT": "1",
    "DOCSTORE_REAP_INTERVAL": "0.5",
    "DOCSTORE_RECONCILE_INTERVAL": "0.5",
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with (
        postgresql() as database,
        redis() as queue,
        some_server(tmp_path_factory.mktemp("s3")) as store,
    ):
        yield Services(database, queue, store)


@pytest.fixture
def cluster(tmp_path: Path, services: Services) -> Cluster:
    return Cluster.new(tmp_path, services, OFTEN)


def test_three_servers_and_three_workers_are_one_docstore(cluster: Cluster) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(cluster.server(f"api{n}")) for n in range(3)]
        for n in range(3):
            stack.enter_context(cluster.worker(f"worker{n}"))
        clients = [stack.enter_context(signed_in(server)) for server in servers]
        with ThreadPoolExecutor(6) as threads:
            ids = [*threads.map(lambda n: upload(clients[n % 3], b"%d" % n + TEXT), range(60))]
        for n, file_id in enumerate(ids):
            other = clients[(n + 1) % 3]
            assert final(other, file_id)["status"] == "processed"
            assert other.get(f"/files/{file_id}/content").content == b"%d" % n + TEXT
        clients[1].headers["Authorization"] = clients[0].headers["Authorization"]
        assert clients[1].get("/files").json()["total"] == len(ids), "one token is good for all"
        until(lambda: cluster.staged() == [])
        for server in servers:
            assert server.command("fsck", "--grace", "0") == {"clean": True, "findings": []}
            assert server.stop() == 0
            assert server.told() == []
    jobs = cluster.sql("SELECT status, attempts, count(*) FROM jobs GROUP BY 1, 2")
    assert jobs == [f"completed|1|{len(ids)}"]


def test_all_are_restarted_one_by_one_and_nobody_notices(
    tmp_path: Path, services: Services
) -> None:
    """A balancer in front sends nothing more to a server that is about to stop."""
    slow = with_sleeper(tmp_path / "packages", seconds=0.1)
    cluster = Cluster.new(tmp_path, services, {**OFTEN, **slow})
    ids: list[str] = []
    failed: list[object] = []
    done = threading.Event()
    with ExitStack() as stack:
        servers = [stack.enter_context(cluster.server(f"api{n}")) for n in range(2)]
        up = list(servers)

        def load() -> None:
            with signed_in(servers[0]) as client:
                token = client.headers["Authorization"]
            with httpx.Client(timeout=30, headers={"Authorization": token}) as client:
                while not done.wait(0.2):  # slower than two workers work
                    try:
                        place = f"{up[len(ids) % len(up)].url}/files?filename=a.txt"
                        answer = client.post(place, content=TEXT)
                        ids.append(str(answer.raise_for_status().json()["id"]))
                    except httpx.HTTPError as error:
                        failed.append(error)

        clients = threading.Thread(target=load)
        clients.start()
        try:
            with ExitStack() as first, ExitStack() as second:
                processes = [first.enter_context(cluster.worker("worker0"))]
                for server in servers:
                    up.remove(server)
                    assert server.stop() == 0
                    server.start()
                    up.append(server)
                second.enter_context(cluster.worker("worker1"))
                processes[0].send_signal(signal.SIGTERM)
                assert processes[0].wait(30) == 0
                time.sleep(1)
                done.set()
                clients.join()
                with signed_in(servers[0]) as client:
                    assert {final(client, each)["status"] for each in ids} == {"processed"}
        finally:
            done.set()
            clients.join()
    assert failed == []
    assert len(ids) > 5
    assert cluster.sql("SELECT DISTINCT status, attempts FROM jobs") == ["completed|1"]


def test_what_a_killed_worker_was_at_is_done_by_another(tmp_path: Path, services: Services) -> None:
    slow = with_sleeper(tmp_path / "packages", seconds=1)
    cluster = Cluster.new(tmp_path, services, {**OFTEN, **slow})
    with cluster.server("api") as server, signed_in(server) as client:
        with cluster.worker("worker0") as process:
            ids = [upload(client) for _ in range(4)]
            until(lambda: cluster.sql("SELECT 1 FROM jobs WHERE status = 'processing'") != [])
            os.kill(process.pid, signal.SIGKILL)
        with cluster.worker("worker1"):
            assert {settled(client, each)["status"] for each in ids} == {"processed"}
        assert server.command("fsck", "--grace", "0") == {"clean": True, "findings": []}
    assert cluster.sql("SELECT count(*) FROM jobs WHERE status <> 'completed'") == ["0"]


def test_images_are_resized_by_a_worker_that_was_away(cluster: Cluster) -> None:
    """Upload of several, each first in the temporary bucket; a message each; resized into the
    permanent one, gone from the other; download by key.
    """
    with cluster.server("api") as server, signed_in(server) as client:
        form = [("file", (f"{n}.png", picture(n), "image/png")) for n in range(3)]
        items = client.post("/upload", files=form).raise_for_status().json()["items"]
        keys = [item["key"] for item in items]
        assert sorted(cluster.staged()) == sorted(f"staging/{item['id']}" for item in items)
        assert client.get("/download", params={"key": keys[0]}).status_code == 409
        with cluster.worker("worker"):
            for key, item in zip(keys, items, strict=True):
                assert final(client, item["id"])["status"] == "processed"
                answer = client.get("/download", params={"key": key})
                assert Image.open(BytesIO(answer.content)).size[0] == 1024
            until(lambda: cluster.staged() == [])
        assert any(key.startswith(f"files/{items[0]['id']}/") for key in cluster.kept())
        assert client.get("/download", params={"key": "nobody-has-this"}).status_code == 404


def picture(number: int) -> bytes:
    data = BytesIO()
    Image.new("RGB", (1600, 900 + number), (number, 99, 0)).save(data, "PNG")
    return data.getvalue()


def settled(client: httpx.Client, file_id: str) -> dict[str, object]:
    """Also when that takes longer than one request may wait."""
    until(lambda: final(client, file_id)["status"] in ("processed", "failed"))
    return final(client, file_id)


def until(is_so: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)
