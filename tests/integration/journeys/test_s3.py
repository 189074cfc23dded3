"""docstore on SQLite and S3, as its operator and its users meet it."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from minio import Minio
from PIL import Image

from integration.clients import TEXT, final, signed_in, upload
from integration.servers import Server, serving
from integration.services.minio import minio
from integration.services.processes import free_port
from integration.services.s3 import ACCESS_KEY, SECRET_KEY, S3Server
from integration.services.s3_servers import some_server
from integration.transfers import AT_ONCE, MIB, Line, Memory, at_once, warm_up

LARGE = 64 * MIB
MOST = 64 * MIB  # more than idle, of API and worker together


@dataclass(frozen=True)
class Buckets:
    """What is in a store's two buckets, seen by a plain client."""

    server: S3Server
    permanent: str
    staging: str

    @property
    def url(self) -> str:
        return self.server.url(self.permanent, staging=self.staging)

    def keys(self, bucket: str) -> Sequence[str]:
        client = Minio(self.server.endpoint, ACCESS_KEY, SECRET_KEY, secure=False)
        return [str(found.object_name) for found in client.list_objects(bucket, recursive=True)]


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with some_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def buckets(s3: S3Server) -> Buckets:
    return Buckets(s3, f"test-{uuid4()}", f"test-{uuid4()}")


def picture(number: int) -> bytes:
    data = BytesIO()
    Image.new("RGB", (1600, 900 + number), (number, 99, 0)).save(data, "PNG")
    return data.getvalue()


def test_a_file_from_its_upload_to_its_end(tmp_path: Path, buckets: Buckets) -> None:
    with serving(tmp_path / "data", storage_url=buckets.url) as server:
        with signed_in(server) as client:
            view = final(client, upload(client))
            assert view["status"] == "processed"
            assert view["extracted"]["text"]["words"] == 6
            assert client.get(view["links"]["content"]).content == TEXT
            part = client.get(view["links"]["content"], headers={"Range": "bytes=4-7"})
            assert (part.status_code, part.content) == (206, b"lamp")
            assert buckets.keys(buckets.staging) == []
            prefix = f"files/{view['id']}/"
            assert all(key.startswith(prefix) for key in buckets.keys(buckets.permanent))
            assert server.command("fsck", "--grace", "0") == {"clean": True, "findings": []}
            assert client.delete(view["links"]["self"]).status_code == 204
            assert client.get(view["links"]["content"]).status_code == 404
            wait_until_empty(buckets)
        assert server.stop() == 0
        assert server.told() == []
        assert SECRET_KEY not in server.log.read_text()


def wait_until_empty(buckets: Buckets) -> None:
    """A job deletes the bytes, soon."""
    until = time.monotonic() + 30
    while left := buckets.keys(buckets.permanent):
        assert time.monotonic() < until, f"still there: {left}"
        time.sleep(0.05)


def test_several_images_move_from_one_bucket_to_the_other(tmp_path: Path, buckets: Buckets) -> None:
    """The image pipeline: upload, a key each, resized by a worker that was down, download."""
    pictures = [picture(number) for number in range(3)]
    settings = {"DOCSTORE_STORAGE_URL": buckets.url, "DOCSTORE_IMAGE_RESIZE": "400x400"}
    server = Server(tmp_path / "data", settings)
    with api_alone(server), signed_in(server) as client:
        form = [("file", (f"{n}.png", data)) for n, data in enumerate(pictures)]
        items = client.post("/upload", files=form).raise_for_status().json()["items"]
        keys = [item["key"] for item in items]
        assert len(set(keys)) == 3
        assert sorted(buckets.keys(buckets.staging)) == sorted(f"staging/{i['id']}" for i in items)
        early = client.get("/download", params={"key": keys[0]})
        assert early.status_code == 409
    with serving(tmp_path / "data", environment=settings) as server, signed_in(server) as client:
        for key, item in zip(keys, items, strict=True):
            assert final(client, item["id"])["status"] == "processed"
            answer = client.get("/download", params={"key": key})
            assert Image.open(BytesIO(answer.content)).size[0] == 400
        assert buckets.keys(buckets.staging) == []
        assert client.get("/download", params={"key": "nobody-has-this"}).status_code == 404


@contextmanager
def api_alone(server: Server) -> Iterator[None]:
    """Serving, but its worker has been stopped where it stands."""
    server.start()
    try:
        os.kill(server.children()["_worker"], signal.SIGSTOP)
        yield
    finally:
        server.kill()


def test_a_download_may_be_fetched_from_the_store(tmp_path: Path, buckets: Buckets) -> None:
    with (
        serving(tmp_path / "data", storage_url=buckets.url, redirects="on") as server,
        signed_in(server) as client,
    ):
        view = final(client, upload(client, b"a,b\n1,2\n", "ü.csv"))
        answer = client.get(view["links"]["content"], params={"redirect": "true"})
        assert answer.status_code == 307
        fetched = httpx.get(answer.headers["location"])  # without a token
        assert fetched.content == b"a,b\n1,2\n"
        direct = client.get(view["links"]["content"])
        for name in ("content-type", "content-disposition", "cache-control"):
            assert fetched.headers[name] == direct.headers[name]


def test_while_the_store_is_away_nothing_is_lost(tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as there:
        s3 = there.enter_context(minio(tmp_path, port=port))
        server = there.enter_context(serving(tmp_path / "data", storage_url=s3.url("bucket")))
        client = there.enter_context(signed_in(server))
        view = final(client, upload(client))
    # S3 is gone, and docstore with it; it starts again all the same.
    with (
        serving(tmp_path / "data", storage_url=s3.url("bucket")) as server,
        signed_in(server) as client,
    ):
        assert client.get("/files").json()["total"] == 1
        for answer in (
            client.post("/files", params={"filename": "a.txt"}, content=TEXT),
            client.get(view["links"]["content"]),
        ):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["parts"]["storage"]) == (503, "unavailable")
        with minio(tmp_path, port=port):
            assert client.get(view["links"]["content"]).content == TEXT
            assert final(client, upload(client))["status"] == "processed"
            assert client.get("/health/ready").status_code == 200
            assert client.get("/files").json()["total"] == 2, "what was refused is not there"


def test_migrate_makes_the_buckets_and_says_when_it_cannot(
    tmp_path: Path, buckets: Buckets
) -> None:
    server = Server(tmp_path / "data", {"DOCSTORE_STORAGE_URL": buckets.url})
    assert server.command("migrate") == {"is_current": True}
    assert buckets.keys(buckets.permanent) == buckets.keys(buckets.staging) == []
    nowhere = buckets.server.behind(free_port()).url("bucket")
    server = Server(tmp_path / "data", {"DOCSTORE_STORAGE_URL": nowhere})
    server.command("migrate", status=1)
    shown = server.command("config")["DOCSTORE_STORAGE_URL"]
    assert ACCESS_KEY in shown
    assert "secret" not in shown


def test_twenty_large_transfers_at_once_take_little_memory(
    tmp_path: Path, buckets: Buckets
) -> None:
    noise = tmp_path / "noise.bin"
    noise.write_bytes(os.urandom(MIB) * (LARGE // MIB))
    with serving(tmp_path / "data", storage_url=buckets.url) as server, signed_in(server) as client:
        line = Line(server, client.headers["Authorization"])
        assert final(client, upload(client, TEXT))["status"] == "processed"
        small = tmp_path / "small.bin"
        small.write_bytes(bytes(12 * MIB))
        warm_up(line, small, 2)
        memory = Memory(server.children())
        ids = at_once(lambda n: line.put(noise, as_form=n % 2 == 0), range(AT_ONCE))
        assert {final(client, file_id)["status"] for file_id in ids} == {"processed"}
        assert min(at_once(line.get, ids)) > LARGE
        over = {name: size / MIB for name, size in memory.peaks().items()}
        print(f"\nMiB over idle at the peak: {over}")
        assert sum(over.values()) <= MOST / MIB
    noise.unlink()
