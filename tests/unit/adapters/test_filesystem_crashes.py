"""The store on a disk that loses, at any call, what was not synced."""

from collections.abc import Awaitable, Callable, Iterator
from itertools import product

import pytest

from docstore.adapters.storage.filesystem import FilesystemBlobStore
from docstore.domain.errors import NotFound
from docstore.testing.blob_store import chunks, listed, read
from simulated_fs import ROOT, Crash, SimFs

pytestmark = pytest.mark.anyio

ID = "0190a0a0-0000-7000-8000-000000000001"
STAGED = f"staging/{ID}"
ORIGINAL = f"files/{ID}/1/original"
OLD, NEW = b"old" * 5, b"new" * 7
MOST_CALLS = 40

Act = Callable[[FilesystemBlobStore], Awaitable[None]]
Blobs = dict[str, bytes]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def put_first(store: FilesystemBlobStore) -> None:
    await store.put(ORIGINAL, chunks(NEW[:2], NEW[2:]))


async def put_over(store: FilesystemBlobStore) -> None:
    await store.put(STAGED, chunks(NEW))


async def put_at_the_root(store: FilesystemBlobStore) -> None:
    await store.put("k", chunks(NEW))


async def copy(store: FilesystemBlobStore) -> None:
    await store.copy(STAGED, ORIGINAL)


async def copy_onto_itself(store: FilesystemBlobStore) -> None:
    await store.copy(STAGED, STAGED)


async def delete(store: FilesystemBlobStore) -> None:
    await store.delete(STAGED)


async def put_beside_a_delete(store: FilesystemBlobStore) -> None:
    await store.put(f"{ORIGINAL}s", chunks(OLD))
    await store.delete(f"{ORIGINAL}s")
    await put_first(store)


BEFORE: Blobs = {STAGED: OLD}
ACTS: list[tuple[Act, Blobs]] = [  # and what is found after each
    (put_first, {STAGED: OLD, ORIGINAL: NEW}),
    (put_over, {STAGED: NEW}),
    (put_at_the_root, {STAGED: OLD, "k": NEW}),
    (copy, {STAGED: OLD, ORIGINAL: OLD}),
    (copy_onto_itself, {STAGED: OLD}),
    (put_beside_a_delete, {STAGED: OLD, ORIGINAL: NEW}),
]


async def a_disk() -> SimFs:
    """One blob on it, stored by a process that is gone."""
    fs = SimFs()
    await FilesystemBlobStore(ROOT, fs=fs).put(STAGED, chunks(OLD))
    return fs.after_power_loss([False] * fs.unsynced)


def what_may_be_found(fs: SimFs) -> Iterator[SimFs]:
    """After every subset of the unsynced changes, with none, some and all of the unsynced bytes."""
    assert fs.unsynced <= 10, "too many subsets to try them all"
    keeps = product([False, True], repeat=fs.unsynced)
    for share, keep in product(fs.shares, keeps):
        yield fs.after_power_loss(keep, share)


async def blobs_on(fs: SimFs) -> Blobs:
    store = FilesystemBlobStore(ROOT, fs=fs)
    return {key: await read(store, key) for key in await listed(store)}


async def crashed(act: Act, calls: int) -> SimFs | None:
    """The disk after so many calls of `act`; None when it needs no more than that."""
    fs = await a_disk()
    fs.crash_at = calls
    try:
        await act(FilesystemBlobStore(ROOT, fs=fs))
    except Crash:
        return fs
    return None


@pytest.mark.parametrize(("act", "after"), ACTS)
async def test_what_returned_survives(act: Act, after: Blobs) -> None:
    fs = await a_disk()
    await act(FilesystemBlobStore(ROOT, fs=fs))
    for found in what_may_be_found(fs):
        blobs = await blobs_on(found)
        assert blobs.items() >= after.items()


@pytest.mark.parametrize(("act", "after"), [*ACTS, (delete, {})])
async def test_a_crash_leaves_each_blob_old_or_new(act: Act, after: Blobs) -> None:
    for calls in range(MOST_CALLS):
        fs = await crashed(act, calls)
        if fs is None:
            assert calls > 0
            return
        for found in what_may_be_found(fs):
            blobs = await blobs_on(found)
            for key in {STAGED, ORIGINAL, "k"}:
                assert blobs.get(key) in (BEFORE.get(key), after.get(key)), (calls, key)
    pytest.fail(f"{MOST_CALLS} calls were not enough")


@pytest.mark.parametrize(("act", "after"), [*ACTS[:-1], (delete, {})])
async def test_after_a_crash_the_same_call_works(act: Act, after: Blobs) -> None:
    for calls in range(MOST_CALLS):
        fs = await crashed(act, calls)
        if fs is None:
            return
        for found in what_may_be_found(fs):
            try:
                await act(FilesystemBlobStore(ROOT, fs=found))
            except NotFound:
                pytest.fail(f"the source is lost after {calls} calls")
            blobs = await blobs_on(found)
            assert {key: blobs.get(key) for key in after} == after


async def test_a_folder_that_another_process_made_is_synced_too() -> None:
    fs = await a_disk()
    fs.mkdir(ROOT / "files")  # by a process that dies before it syncs
    await put_first(FilesystemBlobStore(ROOT, fs=fs))
    for found in what_may_be_found(fs):
        assert (await blobs_on(found))[ORIGINAL] == NEW


async def test_the_relaxed_store_never_syncs() -> None:
    fs = SimFs()
    store = FilesystemBlobStore(ROOT, durable=False, fs=fs)
    await store.put(STAGED, chunks(OLD))
    await store.copy(STAGED, ORIGINAL)
    assert not {"fsync", "fsync_dir"} & {*fs.calls}


async def test_the_simulated_disk_catches_a_store_that_does_not_sync() -> None:
    fs = await a_disk()
    await put_over(FilesystemBlobStore(ROOT, durable=False, fs=fs))
    found = [await blobs_on(found) for found in what_may_be_found(fs)]
    assert {STAGED: b""} in found, "renamed, but empty"
    assert {STAGED: OLD} in found, "not renamed"
