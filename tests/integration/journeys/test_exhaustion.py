"""Whatever runs out: clients are told so, nothing is half stored, reads go on; and once there is
enough again, all goes on without a restart.
"""

import os
import resource
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from docstore.entrypoints.http.crowding import RESERVED
from integration.clients import TEXT, final, signed_in, upload
from integration.mounts import crowded, filled_up, read_only, tmpfs
from integration.remains import change, is_intact, remains
from integration.servers import Server, serving

MIB: Final = 1024**2
LARGE: Final = b"x" * (2 * MIB)  # much more than the server keeps in memory
SMALL: Final = b"y" * 100
KEY: Final = {"Idempotency-Key": "once"}


@dataclass(frozen=True)
class Shop:
    """A server that holds one processed file, TEXT."""

    server: Server
    client: httpx.Client
    file_id: str

    def send(self, data: bytes, **headers: str) -> httpx.Response:
        headers = {"Content-Type": "application/octet-stream"} | headers
        return self.client.post("/files?filename=more.bin", content=data, headers=headers)

    def refuses(self, data: bytes, *statuses: int, **headers: str) -> None:
        """An upload; and keeps nothing of it."""
        before = remains(self.server.data_dir)
        is_problem(self.send(data, **headers), *statuses)
        assert remains(self.server.data_dir) == before
        assert not before.unfinished

    def reads_on(self) -> None:
        assert self.client.get(f"/files/{self.file_id}/content").content == TEXT
        assert self.client.get("/files").json()["total"] > 0
        assert self.client.get("/health").status_code == 200

    def takes(self, data: bytes = TEXT) -> None:
        """An upload, which is processed and comes back."""
        file_id = upload(self.client, data)
        assert final(self.client, file_id)["status"] == "processed"
        assert self.client.get(f"/files/{file_id}/content").content == data


def is_problem(answer: httpx.Response, *statuses: int) -> None:
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code


@contextmanager
def a_shop(
    data_dir: Path, *, sweeps: bool = False, storage_url: str = "", processes: str = "1"
) -> Iterator[Shop]:
    """What happens inside must not matter in the end, but for what a sweep takes away. Of one
    process that serves HTTP, the limits are those of all.
    """
    served = serving(data_dir, patience="1", storage_url=storage_url, api_processes=processes)
    with served as server:
        with signed_in(server) as client:
            file_id = upload(client)
            assert final(client, file_id)["status"] == "processed"
            shop = Shop(server, client, file_id)
            yield shop
            shop.reads_on()
            shop.takes()
        assert server.stop() == 0
        assert is_intact(data_dir)
        if sweeps:
            server.command("sweep", "--grace", "0")
        assert server.command("fsck", "--grace", "0") == {"clean": True, "findings": []}
        assert not remains(data_dir).unfinished
        assert "Traceback" not in server.log.read_text()


@contextmanager
def limited(server: Server, kind: int, value: int) -> Iterator[None]:
    """While inside, the running API process has a lower limit."""
    pid = server.children()["_api"]
    before = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (value, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, kind, before)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """For tests that leave its server as good as it was."""
    with a_shop(tmp_path_factory.mktemp("shop") / "data", sweeps=True) as shop:
        yield shop


def test_files_that_may_not_grow(shop: Shop) -> None:
    """EFBIG, which `ulimit -f` gives; for small ones the disk is not full."""
    with limited(shop.server, resource.RLIMIT_FSIZE, MIB):
        shop.refuses(LARGE, 507)
        shop.reads_on()
        shop.takes()
    with limited(shop.server, resource.RLIMIT_FSIZE, 0):
        shop.refuses(SMALL, 507)
        shop.refuses(LARGE, 507)
        shop.reads_on()
    shop.takes(LARGE)


def test_a_database_that_may_not_grow(shop: Shop) -> None:
    """Unless SQLite says that the disk is full, the commit may have come to pass. So staged bytes
    are kept, which nobody sees, until they are swept up."""
    before = remains(shop.server.data_dir)
    with limited(shop.server, resource.RLIMIT_FSIZE, 4096):
        is_problem(shop.send(SMALL), 503, 507)
        shop.reads_on()
    after = remains(shop.server.data_dir)
    assert (after.files, after.jobs) == (before.files, before.jobs)
    assert not after.unfinished
    assert len(after.objects - before.objects) <= 1
    shop.takes()


@contextmanager
def crowd(server: Server, size: int) -> Iterator[Sequence[socket.socket]]:
    """While inside, so many others are connected, and say nothing."""
    host, port = server.url.removeprefix("http://").split(":")
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection((host, int(port)), timeout=10))
            for _ in range(size)
        ]


def descriptors(server: Server) -> int:
    """One more than the highest that the API process has."""
    opened = os.listdir(f"/proc/{server.children()['_api']}/fd")
    return 1 + max(map(int, opened))


def test_more_connections_than_descriptors(shop: Shop) -> None:
    """Some are turned away, told so or not; who is connected has what a file needs, too."""
    limit = RESERVED + 2 * 20
    assert descriptors(shop.server) < limit
    shop.reads_on()  # its connection is open
    with limited(shop.server, resource.RLIMIT_NOFILE, limit), crowd(shop.server, 200) as others:
        shop.reads_on()
        shop.takes(LARGE)
        heard = [what_is_heard(other) for other in others]
    assert heard[:10] == [b""] * 10, "they were taken"
    told = [answer for answer in heard if answer]
    assert len(told) >= 10
    assert {answer[:12] for answer in told} == {b"HTTP/1.1 503"}
    assert all(b"application/problem+json" in answer for answer in told)
    shop.takes(LARGE)


def what_is_heard(line: socket.socket) -> bytes:
    """What came already."""
    line.setblocking(False)
    try:
        return line.recv(1000)
    except (BlockingIOError, ConnectionResetError):
        return b""


def test_no_descriptor_is_left(shop: Shop) -> None:
    with limited(shop.server, resource.RLIMIT_NOFILE, descriptors(shop.server)):
        shop.refuses(SMALL, 503)
        is_problem(shop.client.get(f"/files/{shop.file_id}/content"), 503)
        is_problem(shop.client.get("/openapi.json"), 503)
        assert shop.client.get(f"/files/{shop.file_id}").status_code == 200
        assert shop.client.get("/files?q=notes").json()["total"] > 0
        assert shop.client.get("/health").status_code == 200
        assert shop.client.get("/health/ready").json()["parts"]["storage"] == "unavailable"
        shop.refuses(LARGE, 503)
    assert shop.client.get("/openapi.json").status_code == 200
    shop.takes(LARGE)


@pytest.fixture(scope="module", params=["1", "2"])
def small(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """All of it on a disk of its own, with little room."""
    disk = tmp_path_factory.mktemp("small") / "data"
    with tmpfs(disk, size=16 * MIB, inodes=200), a_shop(disk, processes=request.param) as shop:
        yield shop


def test_a_full_disk(small: Shop) -> None:
    """At whichever block of an upload, for its bytes or for the database, it is full."""
    disk = small.server.data_dir
    small.refuses(b"x" * (32 * MIB), 507)
    taken = 0
    for blocks in range(12):
        before = remains(disk)
        with filled_up(disk, but_for=blocks):
            answer = small.send(SMALL)
            if answer.status_code != 201:
                is_problem(answer, 507)
                assert remains(disk) == before
            small.reads_on()
        if answer.status_code == 201:
            taken += 1
            assert final(small.client, answer.json()["id"])["status"] == "processed"
    assert 0 < taken < 12, "it was full too early, or never"
    small.takes()


def test_a_key_is_free_again_a_minute_after_the_disk_was_full(small: Shop) -> None:
    """At the latest: giving it back takes room, too."""
    disk = small.server.data_dir
    before = remains(disk)
    for blocks in range(8):
        with filled_up(disk, but_for=blocks):
            answer = small.send(SMALL, **KEY)
        is_problem(answer, 507, 409)
        assert remains(disk) == before
        if answer.status_code == 409:
            break
    change(disk, "UPDATE idempotency_keys SET expires_at = '2026-01-01 00:00:00'")
    answer = small.send(SMALL, **KEY)
    assert answer.status_code == 201, answer.text
    assert small.send(SMALL, **KEY).content == answer.content
    assert remains(disk).files == before.files + 1
    assert final(small.client, answer.json()["id"])["status"] == "processed"


def test_a_disk_that_takes_no_more_files(small: Shop) -> None:
    with crowded(small.server.data_dir):
        small.refuses(SMALL, 507)
        small.refuses(LARGE, 507)
        small.reads_on()
    small.takes()


def test_a_store_that_became_read_only(tmp_path: Path) -> None:
    """As disks do on errors. The database is on another one."""
    disk = tmp_path / "disk"
    with tmpfs(disk, size=16 * MIB), a_shop(tmp_path / "data", storage_url=disk.as_uri()) as shop:
        (tmp_path / "data" / "blobs").symlink_to(disk)
        with read_only(disk):
            shop.refuses(SMALL, 503)
            shop.refuses(LARGE, 503)
            shop.reads_on()
            assert shop.client.get("/health/ready").json()["parts"]["storage"] == "unavailable"
        shop.takes()
