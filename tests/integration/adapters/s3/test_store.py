"""What the S3 adapter does beyond the contract, on every server."""

import asyncio
import logging
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import anyio
import httpx
import pytest
from anyio.lowlevel import checkpoint

from docstore.adapters.storage.s3 import S3BlobStore, connect
from docstore.adapters.storage.s3.calls import ObjectCalls
from docstore.adapters.storage.s3.checksums import Guard, Protection
from docstore.application.ports.blob_store import Pingable, SignsUrls
from docstore.domain.errors import Unavailable
from docstore.testing.blob_store import chunks, listed, read
from docstore.testing.bodies import StuckBody, patterned
from integration.services.s3 import SECRET_KEY, S3Server

pytestmark = pytest.mark.anyio

MIB = 1024**2
LARGE = patterned(12 * MIB)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def opened(server: S3Server) -> AsyncIterator[S3BlobStore]:
    url = server.url(f"test-{uuid4()}", copy_bytes=5 * MIB, memory_bytes=16 * MIB)
    async with connect(url) as store:
        await store.migrate()
        yield store


@pytest.fixture
async def store(each_server: S3Server) -> AsyncIterator[S3BlobStore]:
    async with opened(each_server) as store:
        yield store


@pytest.fixture
async def real_store(real_server: S3Server) -> AsyncIterator[S3BlobStore]:
    async with opened(real_server) as store:
        yield store


# Buckets


async def test_buckets_are_made_once(each_server: S3Server) -> None:
    name = f"test-{uuid4()}"
    async with connect(each_server.url(name, staging=f"{name}-new")) as store:
        with pytest.raises(Unavailable, match=f"no bucket {name} or {name}-new"):
            await store.ping()
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(store.migrate)
        await store.migrate()
        await store.ping()


async def test_each_area_has_its_bucket(each_server: S3Server) -> None:
    name = f"test-{uuid4()}"
    async with (
        connect(each_server.url(name, staging=f"{name}-new")) as store,
        connect(each_server.url(name)) as permanent,
        connect(each_server.url(f"{name}-new")) as staging,
    ):
        await store.migrate()
        await store.put("staging/x", chunks(b"x"))
        assert (await listed(staging), await listed(permanent)) == (["staging/x"], [])
        await store.copy("staging/x", "files/x/1/original")
        assert await listed(permanent) == ["files/x/1/original"]
        for prefix, want in {
            "": ["files/x/1/original", "staging/x"],
            "s": ["staging/x"],
            "staging/": ["staging/x"],
            "staging/x": ["staging/x"],
            "f": ["files/x/1/original"],
            "files/x/": ["files/x/1/original"],
            "stagings": [],
        }.items():
            assert await listed(store, prefix) == want
        await store.delete("staging/x")
        assert await read(store, "files/x/1/original") == b"x"


async def test_no_blob_is_told_to_be_older_than_it_is(store: S3BlobStore) -> None:
    """Though the server tells whole seconds, and its clock is this machine's."""
    for _ in range(3):
        before = datetime.now(UTC)
        await store.put("a/b", chunks(b"x"))
        assert before < (await store.stat("a/b")).stored_at <= before + timedelta(seconds=3)
        await anyio.sleep(0.3)  # into another part of the second


# Copies


@pytest.mark.parametrize("size", [5 * MIB, 5 * MIB + 1, 12 * MIB])
async def test_a_copy_by_parts_is_whole(store: S3BlobStore, size: int) -> None:
    data = patterned(size)
    await store.put("staging/a", chunks(data))
    await store.copy("staging/a", "files/a")
    assert await read(store, "files/a") == data
    assert await store.tidy(timedelta(0)) == 0


# Puts


async def test_the_odd_sizes_around_a_part(store: S3BlobStore) -> None:
    part = 5 * MIB
    for size in (part - 1, part, part + 1, 2 * part, 2 * part + 1):
        data = patterned(size)
        pieces = [data[at : at + 700_001] for at in range(0, size, 700_001)]
        await store.put("a/b", chunks(*pieces))
        assert await read(store, "a/b") == data
        await store.put("a/b", chunks(data))
        assert await read(store, "a/b") == data


@pytest.mark.parametrize("checksums", Protection)
async def test_with_each_kind_of_checksums(each_server: S3Server, checksums: Protection) -> None:
    async with connect(each_server.url(f"test-{uuid4()}", checksums=checksums)) as store:
        await store.migrate()
        for body in (b"", b"small", LARGE):
            await store.put("a/b", chunks(body))
            await store.copy("a/b", "a/c")
            assert await read(store, "a/c") == body


async def test_a_server_that_looks_at_no_checksums_is_noticed_once(
    each_server: S3Server, store: S3BlobStore, caplog: pytest.LogCaptureFixture
) -> None:
    for body in (LARGE, b"small"):
        await store.put("a/b", chunks(body))
        assert await read(store, "a/b") == body
    told = [one for one in caplog.messages if "no checksums" in one]
    assert len(told) == (each_server.name == "moto")


async def test_nothing_is_left_of_a_put_that_fails(store: S3BlobStore) -> None:
    with pytest.raises(ZeroDivisionError):
        await store.put("a/b", chunks(LARGE, then=ZeroDivisionError()))
    body = StuckBody(LARGE)
    putting = asyncio.create_task(store.put("a/b", body.chunks()))
    await body.reached()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert await store.tidy(timedelta(0)) == 0
    assert await listed(store) == []


async def test_what_was_begun_long_ago_is_aborted(real_store: S3BlobStore) -> None:
    store = real_store
    body = StuckBody(LARGE)
    async with anyio.create_task_group() as group:
        putting = asyncio.create_task(store.put("a/b", body.chunks()))
        await body.reached()
        assert await store.tidy(timedelta(hours=1)) == 0
        assert await store.tidy(timedelta(0)) == 1
        body.go_on.set()
        try:
            await putting
        except Unavailable:
            assert await listed(store) == []
        else:  # versitygw takes parts, and completes, after it was told to abort
            assert await read(store, "a/b") == LARGE
        group.cancel_scope.cancel()
    assert await store.tidy(timedelta(0)) == 0


async def test_many_large_puts_take_little_memory(store: S3BlobStore) -> None:
    """12 bodies of 12 MiB; 16 MiB of them are held, and 4 parts of 5 MiB are sent at once."""

    async def body() -> AsyncIterator[bytes]:
        for at in range(0, len(LARGE), 256 * 1024):
            yield LARGE[at : at + 256 * 1024]
            await checkpoint()

    await store.put("a/warm", body())
    tracemalloc.start()
    try:
        async with anyio.create_task_group() as group:
            for number in range(12):
                group.start_soon(store.put, f"a/{number}", body())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 48 * MIB
    assert len(await listed(store)) == 13
    assert await read(store, "a/11") == LARGE


async def test_slow_bodies_do_not_keep_memory_from_others(each_server: S3Server) -> None:
    url = each_server.url(f"test-{uuid4()}", memory_bytes=3 * MIB)
    async with connect(url) as store, anyio.create_task_group() as group:
        await store.migrate()
        slow = [StuckBody(patterned(2 * MIB)) for _ in range(4)]
        for number, body in enumerate(slow):
            group.start_soon(store.put, f"a/{number}", body.chunks())
            await body.reached()
        await store.put("a/quick", chunks(LARGE))
        assert await read(store, "a/quick") == LARGE
        for body in slow:
            body.go_on.set()


# Links


async def test_a_link_gives_the_blob_as_it_was_asked_for(store: S3BlobStore) -> None:
    assert isinstance(store, SignsUrls)
    await store.put("files/x", chunks(b"<script>"))
    disposition = "attachment; filename=\"a.html\"; filename*=UTF-8''%C3%BC.html"
    link = await store.signed_url(
        "files/x", lifetime=timedelta(minutes=1), media_type="text/html", disposition=disposition
    )
    assert SECRET_KEY not in link
    async with httpx.AsyncClient() as client:
        answer = await client.get(link)
        assert (answer.status_code, answer.content) == (200, b"<script>")
        assert answer.headers["content-type"] == "text/html"
        assert answer.headers["content-disposition"] == disposition
        assert answer.headers["cache-control"] == "private, no-cache"
        part = await client.get(link, headers={"Range": "bytes=1-3"})
        assert (part.status_code, part.content) == (206, b"scr")


async def test_a_link_is_good_for_what_it_says_alone(real_store: S3BlobStore) -> None:
    for key in ("files/x", "files/y"):
        await real_store.put(key, chunks(b"x"))
    link = await real_store.signed_url(
        "files/x", lifetime=timedelta(seconds=1), media_type="text/plain", disposition="attachment"
    )
    async with httpx.AsyncClient() as client:
        for other in (
            link.replace("files/x", "files/y"),
            link.replace("attachment", "inline"),
            link.replace("text%2Fplain", "text%2Fhtml"),
            link.replace("X-Amz-Expires=1", "X-Amz-Expires=9"),
            link.split("?")[0],
        ):
            assert other != link
            assert (await client.get(other)).status_code == 403
        assert (await client.delete(link)).status_code == 403
        await anyio.sleep(2.1)
        assert (await client.get(link)).status_code == 403


async def test_a_link_is_signed_for_the_host_that_clients_know(each_server: S3Server) -> None:
    url = each_server.url(f"test-{uuid4()}", public=f"http://localhost:{each_server.port}")
    async with connect(url) as store:
        await store.migrate()
        await store.put("files/x", chunks(b"x"))
        link = await store.signed_url(
            "files/x", lifetime=timedelta(minutes=1), media_type="a/b", disposition="attachment"
        )
    assert link.startswith(f"http://localhost:{each_server.port}/")
    async with httpx.AsyncClient() as client:
        assert (await client.get(link)).content == b"x"


# Secrets


async def test_nothing_that_is_logged_holds_a_secret(
    store: S3BlobStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await store.put("a/b", chunks(LARGE))
        await read(store, "a/b")
        await store.copy("a/b", "a/c")
        with pytest.raises(Unavailable):
            async with connect("s3://K:s3cret@127.0.0.1:9/b?secure=false&tries=2") as nowhere:
                await nowhere.stat("a/b")
    assert SECRET_KEY not in caplog.text
    assert "s3cret" not in caplog.text
    assert isinstance(store, Pingable)


async def test_several_workers_may_tidy_at_once(each_server: S3Server) -> None:
    async with opened(each_server) as store:
        for number in range(20):
            ObjectCalls(
                store._client, store._buckets.staging, f"staging/{number}", Guard(Protection.SDK)
            ).create()
        ended = await asyncio.gather(*(store.tidy(timedelta(0)) for _ in range(3)))
        assert sum(ended) >= 20
        assert await store.tidy(timedelta(0)) == 0
