import asyncio
import errno
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from docstore.adapters.storage.filesystem import FilesystemBlobStore
from docstore.adapters.storage.filesystem.fsops import Entry, OsFsOps
from docstore.adapters.storage.filesystem.layout import INCOMING, path_of, shard
from docstore.application.ports.blob_store import BlobStore
from docstore.domain.errors import Unavailable
from docstore.testing.blob_store import BlobStoreContract, chunks, listed, read
from docstore.testing.bodies import StuckBody, patterned
from faulty_fs import FaultyFsOps

pytestmark = pytest.mark.anyio

ID = "0190a0a0-0000-7000-8000-000000000001"
BIG = 2 * 1024**2 + 1


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store(tmp_path: Path) -> FilesystemBlobStore:
    return FilesystemBlobStore(tmp_path)


def temps_in(root: Path) -> list[Path]:
    return [*root.glob(f"{INCOMING}/*")]


class TestFilesystemBlobStore(BlobStoreContract):
    @pytest.fixture(params=[True, False], ids=["durable", "relaxed"])
    async def blobs(self, tmp_path: Path, request: pytest.FixtureRequest) -> BlobStore:
        return FilesystemBlobStore(tmp_path, durable=request.param)


class _WithoutLinks(OsFsOps):
    def link(self, source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "no links here")


class TestFilesystemWithoutLinks(BlobStoreContract):
    @pytest.fixture
    async def blobs(self, tmp_path: Path) -> BlobStore:
        return FilesystemBlobStore(tmp_path, fs=_WithoutLinks())


class TestFilesystemOfShortReadsAndWrites(BlobStoreContract):
    @pytest.fixture
    async def blobs(self, tmp_path: Path) -> BlobStore:
        return FilesystemBlobStore(tmp_path, durable=False, fs=FaultyFsOps(short=60_000))


# Copies


async def test_a_copy_shares_the_bytes(store: FilesystemBlobStore, tmp_path: Path) -> None:
    await store.put("a/s", chunks(b"x"))
    await store.copy("a/s", "a/t")
    assert path_of(tmp_path, "a/s").samefile(path_of(tmp_path, "a/t"))
    await store.copy("a/s", "a/t")
    assert temps_in(tmp_path) == [], "renaming one link over the other leaves both"


@pytest.mark.parametrize("refusal", [errno.EXDEV, errno.EPERM, errno.EMLINK])
async def test_where_links_are_refused_bytes_are_copied(tmp_path: Path, refusal: int) -> None:
    fs = FaultyFsOps()
    store = FilesystemBlobStore(tmp_path, fs=fs)
    await store.put("a/s", chunks(patterned(BIG)))
    store = FilesystemBlobStore(tmp_path, fs=FaultyFsOps(at=2, errno=refusal))  # stat, link
    await store.copy("a/s", "a/t")
    assert not path_of(tmp_path, "a/s").samefile(path_of(tmp_path, "a/t"))
    assert await read(store, "a/t") == patterned(BIG)


async def test_where_links_are_refused_the_first_copy_works_too(
    store: FilesystemBlobStore, tmp_path: Path
) -> None:
    await store.put("a/s", chunks(b"x"))
    (tmp_path / INCOMING).rmdir()

    class Refusing(OsFsOps):
        def link(self, source: Path, target: Path) -> None:
            super().link(source, target)
            target.unlink()
            raise OSError(errno.EXDEV, "after all")

    await FilesystemBlobStore(tmp_path, fs=Refusing()).copy("a/s", "a/t")
    assert await read(store, "a/t") == b"x"


async def test_an_old_date_of_the_source_does_not_make_a_copy_old(
    store: FilesystemBlobStore, tmp_path: Path
) -> None:
    await store.put("a/s", chunks(b"x"))
    os.utime(path_of(tmp_path, "a/s"), (0, 0))
    await store.copy("a/s", "a/t")
    assert datetime.now(UTC) - (await store.stat("a/t")).stored_at < timedelta(minutes=1)


# Listing


class _Watched(OsFsOps):
    def __init__(self) -> None:
        self.scanned: list[str] = []

    def scandir(self, path: Path) -> Iterable[Entry]:
        self.scanned.append(path.name)
        return super().scandir(path)


@pytest.mark.parametrize(
    ("prefix", "folders"), [(f"files/{ID}/", 2), (f"staging/{ID}", 1), (f"files/{ID}/1/", 1)]
)
async def test_a_prefix_with_an_id_walks_no_other_shard(
    tmp_path: Path, prefix: str, folders: int
) -> None:
    fs = _Watched()
    store = FilesystemBlobStore(tmp_path, durable=False, fs=fs)
    others = [f"{ID[:-3]}{n:03}" for n in range(30)]
    for name in {ID, *others}:
        await store.put(f"staging/{name}", chunks(b"x"))
        await store.put(f"files/{name}/1/o", chunks(b"x"))
    assert len(await listed(store, prefix)) == 1
    assert len(fs.scanned) == folders


async def test_a_prefix_that_is_an_id_finds_longer_names_too(store: FilesystemBlobStore) -> None:
    for key in (f"staging/{ID}", f"staging/{ID}.part", f"staging/{ID}-2/x"):
        await store.put(key, chunks(b"x"))
    assert len(await listed(store, f"staging/{ID}")) == 3
    assert await listed(store, f"staging/{ID}.") == [f"staging/{ID}.part"]


async def test_what_is_being_written_is_not_looked_at(tmp_path: Path) -> None:
    fs = _Watched()
    store = FilesystemBlobStore(tmp_path, fs=fs)
    await store.put("a/b", chunks(b"x"))
    assert await listed(store) == ["a/b"]
    assert fs.scanned == [tmp_path.name, "a", shard("b")]


async def test_many_blobs_are_told_in_pieces(tmp_path: Path) -> None:
    store = FilesystemBlobStore(tmp_path, durable=False)
    keys = sorted(f"staging/{n}" for n in range(600))
    for key in keys:
        await store.put(key, chunks(b"x"))
    assert await listed(store) == keys


# Leftovers


@pytest.mark.parametrize(("age", "removed"), [(59, 0), (61, 2)])
async def test_tidy_removes_what_is_old_enough(tmp_path: Path, age: int, removed: int) -> None:
    store = FilesystemBlobStore(tmp_path, now=lambda: datetime.now(UTC) + timedelta(minutes=age))
    await store.put("a/b", chunks(b"x"))
    for name in ("left", "behind"):
        (tmp_path / INCOMING / name).write_bytes(b"x")
    assert await listed(store) == ["a/b"]
    assert await store.tidy(timedelta(hours=1)) == removed
    assert len(temps_in(tmp_path)) == 2 - removed
    assert await read(store, "a/b") == b"x"


async def test_a_put_whose_bytes_were_tidied_away_fails(tmp_path: Path) -> None:
    store = FilesystemBlobStore(tmp_path, now=lambda: datetime.now(UTC) + timedelta(days=2))
    body = StuckBody(patterned(BIG))
    putting = asyncio.create_task(store.put("a/b", body.chunks()))
    await body.reached()
    assert await store.tidy(timedelta(days=1)) == 1
    body.go_on.set()
    with pytest.raises(Unavailable):
        await putting
    assert await listed(store) == []


async def test_nothing_is_left_open_or_behind(store: FilesystemBlobStore, tmp_path: Path) -> None:
    async def exercise() -> None:
        await store.put("a/b", chunks(patterned(BIG)))
        with pytest.raises(ZeroDivisionError):
            await store.put("a/b", chunks(patterned(BIG), then=ZeroDivisionError()))
        async with store.open("a/b") as body:
            await anext(body)
        with anyio.move_on_after(0):
            await read(store, "a/b")
        await store.copy("a/b", "a/c")
        await store.ping()

    await exercise()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        await exercise()
    assert len(os.listdir("/proc/self/fd")) == before
    assert temps_in(tmp_path) == []
