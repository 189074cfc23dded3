"""Where the bytes lie, and that no key and no stranger leads out of there."""

import os
from pathlib import Path
from stat import S_IMODE

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.adapters.storage.filesystem import FilesystemBlobStore
from docstore.adapters.storage.filesystem.layout import INCOMING, path_of, shard
from docstore.domain.errors import NotFound
from docstore.testing.blob_store import chunks, listed, read

pytestmark = pytest.mark.anyio

ID = "0190a0a0-0000-7000-8000-000000000001"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store(tmp_path: Path) -> FilesystemBlobStore:
    return FilesystemBlobStore(tmp_path)


def files_in(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def names_in(root: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in root.glob(pattern))


def modes_in(root: Path) -> dict[bool, int]:
    """Of folders (True) and of files, when all are alike."""
    return {path.is_dir(): S_IMODE(path.stat().st_mode) for path in root.rglob("*")}


def temps_in(root: Path) -> list[Path]:
    return [*root.glob(f"{INCOMING}/*")]


async def test_where_the_bytes_lie(store: FilesystemBlobStore, tmp_path: Path) -> None:
    for key in (f"staging/{ID}", f"files/{ID}/1/original", "k"):
        await store.put(key, chunks(b"x"))
    at = shard(ID)
    assert files_in(tmp_path) == {f"staging/{at}/{ID}", f"files/{at}/{ID}/1/original", "k"}


async def test_nobody_else_may_read(store: FilesystemBlobStore, tmp_path: Path) -> None:
    await store.put(f"files/{ID}/1/original", chunks(b"x"))
    await store.copy(f"files/{ID}/1/original", f"files/{ID}/1/copy")
    assert modes_in(tmp_path) == {True: 0o700, False: 0o600}


async def test_deleting_leaves_no_folders_but_the_shards(
    store: FilesystemBlobStore, tmp_path: Path
) -> None:
    await store.put(f"files/{ID}/1/original", chunks(b"x"))
    await store.put(f"files/{ID}/2/original", chunks(b"x"))
    await store.delete(f"files/{ID}/1/original")
    assert names_in(tmp_path, f"files/*/{ID}/*") == ["2"]
    await store.delete(f"files/{ID}/2/original")
    assert names_in(tmp_path, "files/*/*") == []
    assert names_in(tmp_path, "files/*") == [shard(ID)]


@given(st.from_regex(r"[a-z0-9._-]{1,40}(/[a-z0-9._-]{1,40}){0,4}", fullmatch=True))
def test_every_key_leads_into_the_root_or_nowhere(key: str) -> None:
    root = Path("/r")
    if {".", ".."} & {*key.split("/")}:
        with pytest.raises(ValueError, match="not a key"):
            path_of(root, key)
        return
    path = path_of(root, key)
    assert Path(os.path.normpath(path)) == path
    inside = path.relative_to(root).parts
    assert inside[0] != INCOMING
    assert "/".join([*inside[:1], *inside[2:]]) == key


BAD_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "a//b",
    "a/",
    "..",
    "../x",
    "a/../../x",
    "a/./b",
    "a/..",
    "A",
    "ä",
    "a\n",
    "a\0",
    "a b",
    f"{INCOMING}/x",
    "x" * 256,
    "x/" * 256 + "x",
]


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_what_is_no_key_is_refused(
    store: FilesystemBlobStore, tmp_path: Path, key: str
) -> None:
    await store.put("a/b", chunks(b"x"))
    for call in (
        store.put(key, chunks(b"x")),
        store.stat(key),
        store.delete(key),
        store.copy(key, "a/c"),
        store.copy("a/b", key),
        read(store, key),
    ):
        with pytest.raises(ValueError, match="not a key"):
            await call
    assert await listed(store) == ["a/b"]
    assert temps_in(tmp_path) == []


@pytest.mark.parametrize("prefix", ["/", "../", "a/../", "A", "a//", f"{INCOMING}/"])
async def test_what_begins_no_key_is_refused(store: FilesystemBlobStore, prefix: str) -> None:
    with pytest.raises(ValueError, match="begins no key"):
        await listed(store, prefix)


# What others put into the folder


async def test_a_symbolic_link_is_no_blob(store: FilesystemBlobStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret~"
    secret.write_bytes(b"secret")
    await store.put("a/b", chunks(b"x"))
    path = path_of(tmp_path, "a/b")
    path.unlink()
    path.symlink_to(secret)
    for call in (store.stat("a/b"), store.copy("a/b", "a/c"), read(store, "a/b")):
        with pytest.raises(NotFound):
            await call
    assert "a/b" not in await listed(store)
    await store.put("a/b", chunks(b"new"))
    assert await read(store, "a/b") == b"new"
    assert secret.read_bytes() == b"secret"


async def test_a_link_to_a_folder_is_not_walked(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_bytes(b"x")
    store = FilesystemBlobStore(tmp_path / "root")
    await store.put("files/x/1/o", chunks(b"x"))
    path_of(tmp_path / "root", "files/x/1/o").parent.with_name("2").symlink_to(outside)
    assert await listed(store) == ["files/x/1/o"]


async def test_a_folder_is_no_blob(store: FilesystemBlobStore) -> None:
    await store.put("files/x/1/o", chunks(b"x"))
    for key in ("files", "files/x", "files/x/1", "files/x/1/o/p"):
        await store.delete(key)
        for call in (store.stat(key), store.copy(key, "a/c"), read(store, key)):
            with pytest.raises(NotFound):
                await call
    assert await listed(store) == ["files/x/1/o"]


async def test_what_others_left_in_the_root_is_not_told(
    store: FilesystemBlobStore, tmp_path: Path
) -> None:
    await store.put("files/x/1/o", chunks(b"x"))
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "lost+found" / "00").mkdir(parents=True)
    (tmp_path / "lost+found" / "00" / "x").touch()
    assert await listed(store) == ["files/x/1/o"]


async def test_a_file_in_the_wrong_shard_is_not_told(
    store: FilesystemBlobStore, tmp_path: Path
) -> None:
    wrong = tmp_path / "staging" / ("00" if shard("x") != "00" else "01")
    wrong.mkdir(parents=True)
    (wrong / "x").write_bytes(b"x")
    assert await listed(store) == []
