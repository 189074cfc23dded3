"""The contract of `BlobStore`, for every adapter: ours and yours.

class TestMyStore(BlobStoreContract):
    @pytest.fixture
    async def blobs(self) -> AsyncIterator[BlobStore]:
        async with MyStore(...) as store:
            yield store
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docstore.application.ports.blob_store import BlobInfo, BlobStore
from docstore.domain.errors import NotFound
from docstore.testing.bodies import StuckBody, chunks, patterned

__all__ = ["BlobStoreContract", "Tick", "chunks", "listed", "read"]

BIG = 3 * 1024**2 + 17  # bytes; more than any adapter reads or writes at once
ODD_KEYS = ("k", "0", ".a", "..a", "a..", "...", "-", "a_/b-/.c", "b../..b", "y" * 255)
LONGEST_KEY = f"{'x' * 255}/{'y' * 200}/{'z' * 55}"
A_LONG_TIME = timedelta(hours=1)

Tick = Callable[[], Awaitable[None]]


async def read(blobs: BlobStore, key: str, start: int = 0, length: int | None = None) -> bytes:
    """All of a blob, or a range; checks that no chunk is empty."""
    async with blobs.open(key, start=start, length=length) as body:
        got = [chunk async for chunk in body]
    assert all(got), "a chunk is empty"
    return b"".join(got)


async def listed(blobs: BlobStore, prefix: str = "") -> list[str]:
    """The keys that begin with `prefix`, in order, each as often as it was told."""
    return sorted([info.key async for info in blobs.list(prefix)])


@pytest.mark.anyio
class BlobStoreContract:
    """Override the `blobs` fixture with an empty store; every test here must pass."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    async def blobs(self) -> BlobStore:
        raise NotImplementedError

    @pytest.fixture
    def tick(self) -> Tick:
        """Lets the store's clock move on. Override it for a clock that is coarser, or yours."""
        return lambda: anyio.sleep(0.02)

    # put and open

    @pytest.mark.parametrize("size", [0, 1, 64 * 1024 + 1, 256 * 1024, 1024**2, BIG])
    async def test_what_is_put_comes_back(self, blobs: BlobStore, size: int) -> None:
        data = patterned(size)
        await blobs.put("a/b", chunks(data[:7], b"", data[7:]))
        assert await read(blobs, "a/b") == data
        assert (await blobs.stat("a/b")).size == size

    async def test_a_body_of_many_small_chunks(self, blobs: BlobStore) -> None:
        data = patterned(70_001)
        await blobs.put("a/b", chunks(*(data[at : at + 7] for at in range(0, len(data), 7))))
        assert await read(blobs, "a/b") == data

    async def test_a_body_without_chunks_is_an_empty_blob(self, blobs: BlobStore) -> None:
        await blobs.put("a/b", chunks())
        assert await read(blobs, "a/b") == b""
        assert await listed(blobs) == ["a/b"]

    async def test_every_legal_key_is_one_of_its_own(self, blobs: BlobStore) -> None:
        keys = {*ODD_KEYS, LONGEST_KEY}
        for key in keys:
            await blobs.put(key, chunks(key.encode()))
        assert {key: await read(blobs, key) for key in keys} == {k: k.encode() for k in keys}
        assert await listed(blobs) == sorted(keys)

    @pytest.mark.parametrize("sizes", [(3, BIG), (BIG, 3), (0, 1), (1, 0)])
    async def test_put_replaces(self, blobs: BlobStore, sizes: tuple[int, int]) -> None:
        for size in sizes:
            await blobs.put("a/b", chunks(patterned(size)))
            assert await read(blobs, "a/b") == patterned(size)
        assert await listed(blobs) == ["a/b"]

    @pytest.mark.parametrize("size", [0, 5, BIG])
    @pytest.mark.parametrize(
        "error", [ZeroDivisionError(), OSError(28, "of the body"), NotFound("blob", "another")]
    )
    async def test_a_body_that_fails_leaves_the_old_blob(
        self, blobs: BlobStore, error: Exception, size: int
    ) -> None:
        await blobs.put("a/old", chunks(b"old"))
        for key in ("a/old", "a/new"):
            with pytest.raises(type(error)) as raised:
                await blobs.put(key, chunks(patterned(size), then=error))
            assert raised.value is error
        assert await read(blobs, "a/old") == b"old"
        assert await listed(blobs) == ["a/old"]

    @pytest.mark.parametrize("size", [0, 5, BIG])
    async def test_a_cancelled_put_leaves_the_old_blob(self, blobs: BlobStore, size: int) -> None:
        await blobs.put("a/old", chunks(b"old"))
        for key in ("a/old", "a/new"):
            body = StuckBody(patterned(size))
            putting = asyncio.create_task(blobs.put(key, body.chunks()))
            await body.reached()
            putting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await putting
        assert await read(blobs, "a/old") == b"old"
        assert await listed(blobs) == ["a/old"]

    async def test_a_put_in_a_cancelled_scope_leaves_the_old_blob(self, blobs: BlobStore) -> None:
        await blobs.put("a/old", chunks(b"old"))
        body = StuckBody(patterned(BIG))
        async with anyio.create_task_group() as group:
            group.start_soon(blobs.put, "a/old", body.chunks())
            await body.reached()
            group.cancel_scope.cancel()
        assert await read(blobs, "a/old") == b"old"

    async def test_a_put_under_way_shows_nothing_yet(self, blobs: BlobStore) -> None:
        await blobs.put("a/old", chunks(b"old"))
        bodies = {key: StuckBody(patterned(BIG)) for key in ("a/old", "a/new")}
        async with anyio.create_task_group() as group:
            for key, body in bodies.items():
                group.start_soon(blobs.put, key, body.chunks())
                await body.reached()
            assert await read(blobs, "a/old") == b"old"
            assert await listed(blobs) == ["a/old"]
            with pytest.raises(NotFound):
                await blobs.stat("a/new")
            for body in bodies.values():
                body.go_on.set()
        assert await read(blobs, "a/old") == await read(blobs, "a/new") == patterned(BIG)

    async def test_of_many_puts_to_one_key_one_wins_whole(self, blobs: BlobStore) -> None:
        bodies = [bytes([n]) * (40_000 * n) for n in range(24)]
        async with anyio.create_task_group() as group:
            for body in bodies:
                halves = chunks(body[: len(body) // 2], body[len(body) // 2 :])
                group.start_soon(blobs.put, "a/b", halves)
        assert await read(blobs, "a/b") in bodies
        assert await listed(blobs) == ["a/b"]

    async def test_puts_and_deletes_in_one_folder_do_not_disturb_each_other(
        self, blobs: BlobStore
    ) -> None:
        async def come_and_go(key: str) -> None:
            for _ in range(20):
                await blobs.put(key, chunks(key.encode()))
                assert await read(blobs, key) == key.encode()
                await blobs.delete(key)

        async with anyio.create_task_group() as group:
            for n in range(6):
                group.start_soon(come_and_go, f"files/x/{n % 2}/{n}")
        assert await listed(blobs) == []

    # ranges

    @pytest.mark.parametrize(
        ("start", "length", "want"),
        [
            (0, 1, b"0"),
            (2, 3, b"234"),
            (9, 1, b"9"),
            (0, 10, b"0123456789"),
            (4, None, b"456789"),
            (10, None, b""),
        ],
    )
    async def test_range(
        self, blobs: BlobStore, start: int, length: int | None, want: bytes
    ) -> None:
        await blobs.put("a/b", chunks(b"0123456789"))
        assert await read(blobs, "a/b", start, length) == want

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(ends=st.lists(st.integers(0, BIG), min_size=2, max_size=2, unique=True).map(sorted))
    async def test_any_range_is_that_part_of_the_whole(
        self, blobs: BlobStore, ends: list[int]
    ) -> None:
        data = patterned(BIG)
        if not await listed(blobs):
            await blobs.put("a/b", chunks(data))
        start, end = ends
        assert await read(blobs, "a/b", start, end - start) == data[start:end]

    # what happens to a blob while it is read

    async def test_a_reader_of_a_replaced_blob_gets_the_old_one(self, blobs: BlobStore) -> None:
        old = patterned(BIG)
        await blobs.put("a/b", chunks(old))
        async with blobs.open("a/b") as body:
            first = await anext(body)
            await blobs.put("a/b", chunks(b"new" * BIG))
            assert first + b"".join([chunk async for chunk in body]) == old
        assert await read(blobs, "a/b") == b"new" * BIG

    async def test_a_reader_of_a_deleted_blob_gets_all_of_it(self, blobs: BlobStore) -> None:
        data = patterned(BIG)
        await blobs.put("a/b", chunks(data))
        async with blobs.open("a/b", start=5) as body:
            await blobs.delete("a/b")
            assert b"".join([chunk async for chunk in body]) == data[5:]

    async def test_a_reader_may_leave_early(self, blobs: BlobStore) -> None:
        await blobs.put("a/b", chunks(patterned(BIG)))
        for _ in range(3):
            async with blobs.open("a/b") as body:
                assert patterned(BIG).startswith(await anext(body))
        assert await read(blobs, "a/b") == patterned(BIG)

    # what is not there

    async def test_what_is_not_there_is_not_found(self, blobs: BlobStore) -> None:
        await blobs.put("a/b/c", chunks(b"x"))
        for key in ("a/c", "z/b/c", "a/b/d", "a/b/c0"):
            with pytest.raises(NotFound):
                async with blobs.open(key):
                    pytest.fail("entered")
            with pytest.raises(NotFound):
                await blobs.stat(key)
            with pytest.raises(NotFound):
                await blobs.copy(key, "a/t")
        assert await listed(blobs) == ["a/b/c"]

    async def test_delete_forgets_one_blob_alone(self, blobs: BlobStore) -> None:
        for key in ("files/x/1/a", "files/x/1/b", "files/x/2/a", "staging/x"):
            await blobs.put(key, chunks(b"x"))
        await blobs.delete("files/x/1/a")
        assert await listed(blobs) == ["files/x/1/b", "files/x/2/a", "staging/x"]
        with pytest.raises(NotFound):
            await read(blobs, "files/x/1/a")

    async def test_delete_twice_is_no_error(self, blobs: BlobStore) -> None:
        await blobs.put("a/b/c", chunks(b"x"))
        await blobs.delete("a/b/c")
        await blobs.delete("a/b/c")
        await blobs.delete("never/was")
        assert await listed(blobs) == []

    async def test_a_key_can_be_used_again(self, blobs: BlobStore) -> None:
        for data in (b"first", b"second"):
            await blobs.put("a/b/c", chunks(data))
            assert await read(blobs, "a/b/c") == data
            await blobs.delete("a/b/c")

    # copy

    @pytest.mark.parametrize("size", [0, 5, BIG])
    async def test_a_copy_outlives_its_source(self, blobs: BlobStore, size: int) -> None:
        await blobs.put("staging/x", chunks(patterned(size)))
        await blobs.copy("staging/x", "files/x/1/original")
        assert await read(blobs, "staging/x") == patterned(size)
        await blobs.delete("staging/x")
        assert await read(blobs, "files/x/1/original") == patterned(size)
        assert await listed(blobs) == ["files/x/1/original"]

    @pytest.mark.parametrize(("replaced", "kept"), [("a/s", "a/t"), ("a/t", "a/s")])
    async def test_replacing_source_or_copy_leaves_the_other(
        self, blobs: BlobStore, replaced: str, kept: str
    ) -> None:
        await blobs.put("a/s", chunks(b"one"))
        await blobs.copy("a/s", "a/t")
        await blobs.put(replaced, chunks(b"another"))
        assert await read(blobs, kept) == b"one"
        assert await read(blobs, replaced) == b"another"

    async def test_copy_replaces(self, blobs: BlobStore) -> None:
        await blobs.put("a/s", chunks(b"new"))
        await blobs.put("a/t", chunks(b"something old"))
        for _ in range(2):
            await blobs.copy("a/s", "a/t")
            assert await read(blobs, "a/t") == await read(blobs, "a/s") == b"new"
        assert await listed(blobs) == ["a/s", "a/t"]

    async def test_a_copy_onto_itself_changes_nothing(self, blobs: BlobStore) -> None:
        await blobs.put("a/b", chunks(b"x"))
        await blobs.copy("a/b", "a/b")
        assert await read(blobs, "a/b") == b"x"
        assert await listed(blobs) == ["a/b"]

    async def test_a_copy_that_fails_leaves_the_old_target(self, blobs: BlobStore) -> None:
        await blobs.put("a/t", chunks(b"old"))
        with pytest.raises(NotFound):
            await blobs.copy("a/s", "a/t")
        assert await read(blobs, "a/t") == b"old"

    # stat

    async def test_stored_at_is_when_it_came_under_this_key(
        self, blobs: BlobStore, tick: Tick
    ) -> None:
        await blobs.put("a/s", chunks(b"x"))
        first = await blobs.stat("a/s")
        assert first.stored_at.utcoffset() == timedelta(0)
        await tick()
        await blobs.copy("a/s", "a/t")
        copied = await blobs.stat("a/t")
        assert copied.stored_at > first.stored_at, "a copy is as young as the copying"
        await tick()
        await blobs.put("a/s", chunks(b"y"))
        assert (await blobs.stat("a/s")).stored_at > copied.stored_at

    # list

    @pytest.mark.parametrize(
        ("prefix", "want"),
        [
            ("", {"files/ab/1/o", "files/ab/1/t", "files/ab/2/o", "files/abc/1/o", "staging/ab"}),
            ("f", {"files/ab/1/o", "files/ab/1/t", "files/ab/2/o", "files/abc/1/o"}),
            ("files/", {"files/ab/1/o", "files/ab/1/t", "files/ab/2/o", "files/abc/1/o"}),
            ("files/ab", {"files/ab/1/o", "files/ab/1/t", "files/ab/2/o", "files/abc/1/o"}),
            ("files/ab/", {"files/ab/1/o", "files/ab/1/t", "files/ab/2/o"}),
            ("files/ab/1", {"files/ab/1/o", "files/ab/1/t"}),
            ("files/ab/1/t", {"files/ab/1/t"}),
            ("files/ab/1/t/", set()),
            ("staging/", {"staging/ab"}),
            ("staging/a", {"staging/ab"}),
            ("staging/ab", {"staging/ab"}),
            ("staging/abc", set()),
            ("nothing/here", set()),
        ],
    )
    async def test_list_by_prefix(self, blobs: BlobStore, prefix: str, want: set[str]) -> None:
        for key in ("files/ab/1/o", "files/ab/1/t", "files/ab/2/o", "files/abc/1/o", "staging/ab"):
            await blobs.put(key, chunks(key.encode()))
        assert await listed(blobs, prefix) == sorted(want)

    async def test_list_tells_what_stat_tells(self, blobs: BlobStore) -> None:
        for size in range(5):
            await blobs.put(f"staging/{size}", chunks(b"x" * size))
        told = {info.key: info async for info in blobs.list("staging/")}
        assert told == {key: await blobs.stat(key) for key in told}
        assert {info.size for info in told.values()} == {0, 1, 2, 3, 4}

    async def test_listing_while_deleting_tells_each_at_most_once(self, blobs: BlobStore) -> None:
        keys = [f"files/{n:02}/1/original" for n in range(40)]
        for key in keys:
            await blobs.put(key, chunks(b"x"))
        told: list[BlobInfo] = []
        async for info in blobs.list("files/"):
            told.append(info)
            await blobs.delete(info.key)
            await blobs.put("files/new/1/original", chunks(b"y"))
        assert len(told) == len({info.key for info in told})
        assert {info.key for info in told} >= set(keys)
        assert await listed(blobs) in ([], ["files/new/1/original"])

    # tidy

    async def test_tidy_takes_no_blob(self, blobs: BlobStore) -> None:
        await blobs.put("staging/x", chunks(b"x"))
        await blobs.copy("staging/x", "files/x/1/original")
        with pytest.raises(ZeroDivisionError):
            await blobs.put("staging/y", chunks(b"y", then=ZeroDivisionError()))
        assert await blobs.tidy(timedelta(0)) == 0
        assert await listed(blobs) == ["files/x/1/original", "staging/x"]

    async def test_tidy_spares_a_put_under_way(self, blobs: BlobStore) -> None:
        body = StuckBody(patterned(BIG))
        async with anyio.create_task_group() as group:
            group.start_soon(blobs.put, "a/b", body.chunks())
            await body.reached()
            assert await blobs.tidy(A_LONG_TIME) == 0
            body.go_on.set()
        assert await read(blobs, "a/b") == patterned(BIG)
