"""The folder that a store lies in, and the URL that names it."""

from pathlib import Path
from stat import S_IMODE

import pytest

from docstore.adapters.storage.filesystem import FilesystemBlobStore, connect
from docstore.application.ports.blob_store import Pingable
from docstore.domain.errors import Unavailable
from docstore.testing.blob_store import chunks, listed, read
from docstore.testing.bodies import patterned
from faulty_fs import FaultyFsOps

pytestmark = pytest.mark.anyio

BIG = 2 * 1024**2 + 1


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store(tmp_path: Path) -> FilesystemBlobStore:
    return FilesystemBlobStore(tmp_path)


def files_in(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


async def test_a_root_that_is_gone_is_not_an_empty_store(tmp_path: Path) -> None:
    root = tmp_path / "root"
    store = connect(root.as_uri())
    await store.put("a/b", chunks(b"x"))
    root.rename(tmp_path / "elsewhere")
    for call in (
        store.put("a/b", chunks(b"x")),
        store.put("a/b", chunks(patterned(BIG))),
        read(store, "a/b"),
        store.stat("a/b"),
        store.copy("a/b", "a/c"),
        store.delete("a/b"),
        listed(store),
        store.ping(),
    ):
        with pytest.raises(Unavailable):
            await call
    assert not root.exists()


async def test_ping_leaves_nothing_behind(store: FilesystemBlobStore, tmp_path: Path) -> None:
    assert isinstance(store, Pingable)
    await store.ping()
    assert files_in(tmp_path) == set()


async def test_ping_fails_on_a_disk_that_does(tmp_path: Path) -> None:
    store = FilesystemBlobStore(tmp_path, fs=FaultyFsOps(at=1, errno=30))
    with pytest.raises(Unavailable, match="Read-only"):
        await store.ping()


async def test_connect_makes_the_folder_for_nobody_else(tmp_path: Path) -> None:
    root = tmp_path / "a b%?#ä" / "files"
    store = connect(root.as_uri(), durable=False)
    await store.put("k", chunks(b"x"))
    assert (root / "k").read_bytes() == b"x"
    assert {S_IMODE(path.stat().st_mode) for path in (root, root.parent)} == {0o700}
    assert await read(connect(root.as_uri()), "k") == b"x"


@pytest.mark.parametrize(
    "url",
    [
        "file:relative",
        "file:",
        "file:///",
        "file://host/path",
        "file:///a?b",
        "file:///a#b",
        "file:///a%00b",
        "s3://bucket",
        "/a/path",
    ],
)
def test_other_forms_of_url_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="file:///absolute/path"):
        connect(url)


def test_connect_to_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    for path in (tmp_path / "f", tmp_path / "f" / "g"):
        with pytest.raises(Unavailable, match=r"[Nn]ot a"):
            connect(path.as_uri())
