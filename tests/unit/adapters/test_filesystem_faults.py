"""The store on a filesystem that fails at any one call, and stays so or not."""

import errno
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from docstore.adapters.storage.filesystem import FilesystemBlobStore
from docstore.adapters.storage.filesystem.layout import INCOMING
from docstore.domain.errors import OutOfSpace, Unavailable
from docstore.testing.blob_store import chunks, listed, read
from docstore.testing.bodies import patterned
from faulty_fs import FaultyFsOps

pytestmark = pytest.mark.anyio

OLD, NEW = b"old", patterned(1024**2)
MOST_CALLS = 60
FULL = [errno.ENOSPC, errno.EDQUOT, errno.EFBIG]
SICK = [errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EACCES]

Act = Callable[[FilesystemBlobStore], Awaitable[object]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def put_first(store: FilesystemBlobStore) -> None:
    await store.put("files/x/1/new", chunks(NEW[:9], NEW[9:]))


async def put_over(store: FilesystemBlobStore) -> None:
    await store.put("staging/x", chunks(NEW))


async def copy(store: FilesystemBlobStore) -> None:
    await store.copy("staging/x", "files/x/1/new")


async def delete(store: FilesystemBlobStore) -> None:
    await store.delete("staging/x")


async def look(store: FilesystemBlobStore) -> None:
    await store.stat("staging/x")
    await read(store, "staging/x")
    await listed(store)


@pytest.mark.parametrize("number", [*FULL, *SICK], ids=lambda number: errno.errorcode[number])
@pytest.mark.parametrize("act", [put_first, put_over, copy, delete, look])
async def test_each_call_that_fails_once(tmp_path: Path, act: Act, number: int) -> None:
    wanted = OutOfSpace if number in FULL else Unavailable
    for at in range(1, MOST_CALLS):
        root = tmp_path / str(at)
        root.mkdir()
        await FilesystemBlobStore(root, durable=False).put("staging/x", chunks(OLD))
        fs = FaultyFsOps(at, number)
        try:
            await act(FilesystemBlobStore(root, fs=fs))
        except Unavailable as error:
            assert type(error) is wanted  # noqa: PT017
        else:
            if fs.hit is None:
                return
            assert fs.hit in ALLOWED_TO_FAIL, f"{fs.hit} failed and nobody was told"
        await check(root, fs)
    pytest.fail(f"{MOST_CALLS} calls were not enough")


ALLOWED_TO_FAIL = {"rmdir", "close", "unlink"}
"""Closing what was read, removing an empty folder; removing a temporary file is `tidy`'s."""


def temps_in(root: Path) -> list[Path]:
    return [*root.glob(f"{INCOMING}/*")]


async def check(root: Path, fs: FaultyFsOps) -> None:
    """No temporary file is left, unless removing it failed; each blob is the old or the new."""
    assert fs.hit == "unlink" or temps_in(root) == []
    store = FilesystemBlobStore(root, durable=False)
    blobs = {key: await read(store, key) for key in await listed(store)}
    assert blobs.keys() <= {"staging/x", "files/x/1/new"}
    assert all(data in (OLD, NEW) for data in blobs.values())
    if fs.hit != "rmdir" and "rename" not in fs.calls and "unlink" not in fs.calls:
        assert blobs == {"staging/x": OLD}


@pytest.mark.parametrize("act", [put_first, put_over, copy])
async def test_a_disk_that_fails_for_good_changes_no_blob(tmp_path: Path, act: Act) -> None:
    for at in range(1, MOST_CALLS):
        root = tmp_path / str(at)
        root.mkdir()
        await FilesystemBlobStore(root, durable=False).put("staging/x", chunks(OLD))
        fs = FaultyFsOps(at, errno.EIO, for_ever=True)
        try:
            await act(FilesystemBlobStore(root, fs=fs))
        except Unavailable:
            data = await read(FilesystemBlobStore(root), "staging/x")
            assert data == OLD or (act is put_over and data == NEW)
        else:
            return
    pytest.fail(f"{MOST_CALLS} calls were not enough")


@pytest.mark.parametrize("call", ["fsync", "fsync_dir"])
async def test_a_failed_fsync_is_not_tried_again(tmp_path: Path, call: str) -> None:
    probe = FaultyFsOps()
    await put_over(FilesystemBlobStore(tmp_path, fs=probe))
    fs = FaultyFsOps(probe.calls.index(call) + 1, errno.EIO)
    (tmp_path / "other").mkdir()
    with pytest.raises(Unavailable, match="Input/output"):
        await put_over(FilesystemBlobStore(tmp_path / "other", fs=fs))
    assert fs.calls.count(call) == 1


async def test_after_a_full_disk_has_room_again_all_is_well(tmp_path: Path) -> None:
    store = FilesystemBlobStore(tmp_path, fs=FaultyFsOps(3, errno.ENOSPC))
    with pytest.raises(OutOfSpace, match="No space left"):
        await put_first(store)
    await put_first(store)
    assert await read(store, "files/x/1/new") == NEW
