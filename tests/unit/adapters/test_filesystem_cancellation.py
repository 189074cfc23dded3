import asyncio
from pathlib import Path

import anyio
import pytest

from docstore.adapters.storage.filesystem import FilesystemBlobStore
from docstore.adapters.storage.filesystem.fsops import OsFsOps
from docstore.adapters.storage.filesystem.layout import INCOMING, shard
from docstore.testing.blob_store import chunks, read
from docstore.testing.bodies import StuckBody, patterned

pytestmark = pytest.mark.anyio

BIG = 2 * 1024**2 + 1


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store(tmp_path: Path) -> FilesystemBlobStore:
    return FilesystemBlobStore(tmp_path)


def temps_in(root: Path) -> list[Path]:
    return [*root.glob(f"{INCOMING}/*")]


async def test_a_cancellation_at_any_step_leaves_old_or_new(
    store: FilesystemBlobStore, tmp_path: Path
) -> None:
    """A put that ends by a cancellation has changed nothing; one that returns has changed all."""
    old, new = b"old", patterned(BIG)
    for passes in range(60):
        await store.put("a/b", chunks(old))
        returned: list[bool] = []

        async def put_new(returned: list[bool] = returned) -> None:
            await store.put("a/b", chunks(new))
            returned.append(True)

        putting = asyncio.create_task(put_new())
        for _ in range(passes):
            await asyncio.sleep(0.0002)
        putting.cancel()
        await asyncio.gather(putting, return_exceptions=True)
        assert await read(store, "a/b") == (new if returned else old)
        assert temps_in(tmp_path) == []


async def test_a_cancellation_too_late_for_the_put_reaches_the_task(tmp_path: Path) -> None:
    renaming, go_on = asyncio.Event(), anyio.Event()
    loop = asyncio.get_running_loop()

    class Slow(OsFsOps):
        def rename(self, source: Path, target: Path) -> None:
            super().rename(source, target)
            loop.call_soon_threadsafe(renaming.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(10)

    store = FilesystemBlobStore(tmp_path, fs=Slow())
    (tmp_path / "a" / shard("b")).mkdir(parents=True)
    limit = asyncio.timeout(None)
    returned = False

    async def put_and_go_on() -> None:
        nonlocal returned
        async with limit:
            await store.put("a/b", chunks(b"x"))
            returned = True
            await asyncio.Event().wait()

    task = asyncio.create_task(put_and_go_on())
    await renaming.wait()
    limit.reschedule(0)  # cancels the task, and counts how often it was cancelled
    await anyio.wait_all_tasks_blocked()
    go_on.set()
    with pytest.raises(TimeoutError):
        await task
    assert returned
    assert await read(store, "a/b") == b"x"


async def test_twenty_slow_uploads_hold_up_nobody(store: FilesystemBlobStore) -> None:
    bodies = [StuckBody(patterned(BIG)) for _ in range(20)]
    async with anyio.create_task_group() as group:
        for n, body in enumerate(bodies):
            group.start_soon(store.put, f"a/{n}", body.chunks())
        for body in bodies:
            await body.reached()
        with anyio.fail_after(30):
            await store.put("a/quick", chunks(b"x"))
        group.cancel_scope.cancel()
