"""I19: whatever S3 answers, a put never succeeds falsely and a read never ends cleanly with other
bytes; what cannot be done is Unavailable after at most three tries.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest

from docstore.adapters.storage.s3 import S3BlobStore, connect
from docstore.domain.errors import OutOfSpace, Unavailable
from docstore.testing.blob_store import chunks, listed, read
from docstore.testing.bodies import patterned
from integration.faulty_http import (
    Harm,
    Line,
    changing,
    corrupting,
    crashing,
    cutting,
    faulty_line,
    hanging,
    late,
    losing,
    refusing,
)
from integration.services.processes import free_port
from integration.services.s3 import S3Server

pytestmark = pytest.mark.anyio

MIB = 1024**2
SMALL = patterned(100_000)
LARGE = patterned(11 * MIB)  # three parts
ALWAYS = 1000
PATIENT = {"read_timeout": 3, "total_timeout": 12}  # a real server is to answer
HASTY = {"connect_timeout": 0.3, "read_timeout": 0.3, "total_timeout": 1}  # and here none does
HASTE = 5.0  # seconds for a call that is to fail within 1, on a busy machine

SICK: dict[str, Harm] = {
    "500": refusing(500, "InternalError"),
    "503": refusing(503, "SlowDown"),
    "reset in the body": crashing,
    "no answer": hanging,
    "answer lost": losing,
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Stand:
    """A store behind a line that may do harm, and the same one reached directly."""

    line: Line
    store: S3BlobStore
    hasty: S3BlobStore
    direct: S3BlobStore


@pytest.fixture
async def stand(s3: S3Server) -> AsyncIterator[Stand]:
    bucket = f"test-{uuid4()}"
    async with faulty_line(s3.port) as line, connect(s3.url(bucket)) as direct:
        await direct.migrate()
        behind = s3.behind(line.port)
        patient, hasty = (behind.url(bucket, **limits) for limits in (PATIENT, HASTY))
        async with connect(patient) as store, connect(hasty) as other:
            yield Stand(line, store, other, direct)


async def nothing_is_left(stand: Stand) -> bool:
    return await listed(stand.direct) == [] and await stand.direct.tidy(timedelta(0)) == 0


async def ended(body: AsyncIterator[bytes]) -> None:
    """Read to the end; nothing that comes is of the blob that has taken its place."""
    async for piece in body:
        assert b"zzzz" not in piece


# Puts


@pytest.mark.parametrize("harm", SICK.values(), ids=SICK)
async def test_a_put_outlives_one_failure(stand: Stand, harm: Harm) -> None:
    stand.line.harm("PUT", harm)
    await stand.store.put("a/b", chunks(SMALL))
    assert await read(stand.direct, "a/b") == SMALL
    assert stand.line.count("PUT") == 2


@pytest.mark.parametrize("harm", SICK.values(), ids=SICK)
async def test_a_put_gives_up_in_the_end(stand: Stand, harm: Harm) -> None:
    await stand.direct.put("a/old", chunks(b"old"))
    stand.line.harm("PUT", harm, times=ALWAYS)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await stand.hasty.put("a/b", chunks(SMALL))
    assert time.monotonic() - began < HASTE
    assert 2 <= stand.line.count("PUT") <= 3
    assert await read(stand.direct, "a/old") == b"old"


async def test_there_are_three_tries_though_there_is_time_for_more(stand: Stand) -> None:
    stand.line.harm("PUT", refusing(503, "SlowDown"), times=ALWAYS)
    with pytest.raises(Unavailable):
        await stand.store.put("a/b", chunks(SMALL))
    assert stand.line.count("PUT") == 3


@pytest.mark.parametrize(
    ("method", "harm"),
    [
        pytest.param(method, harm, id=f"{method} {name}")
        for method in ("POST", "PUT")
        for name, harm in SICK.items()
        if method == "PUT" or harm is not hanging  # a completion may take all the time there is
    ],
)
async def test_an_upload_in_parts_outlives_one_failure(
    stand: Stand, harm: Harm, method: str
) -> None:
    stand.line.harm(method, harm, target="uploadId")
    await stand.store.put("a/b", chunks(LARGE))
    assert await read(stand.direct, "a/b") == LARGE


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("code", ["InternalError", "SlowDown"])
async def test_an_upload_that_fails_is_aborted(stand: Stand, method: str, code: str) -> None:
    stand.line.harm(method, refusing(503, code), target="uploadId", times=ALWAYS)
    with pytest.raises(Unavailable):
        await stand.store.put("a/b", chunks(LARGE))
    assert stand.line.count("POST", "uploadId") <= 3
    async with stand.store:  # on leaving, it waits for what nobody else does
        pass
    assert await nothing_is_left(stand)


async def test_a_completion_that_fails_behind_a_200_is_a_failure(stand: Stand) -> None:
    wrong = changing(b"CompleteMultipartUploadResult", b"CompleteMultipartUploadXError")
    stand.line.harm("POST", wrong, target="uploadId", times=ALWAYS)
    with pytest.raises(Unavailable):
        await stand.store.put("a/b", chunks(LARGE))


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("liar", ["PUT", "HEAD"])
async def test_a_wrong_etag_is_a_failure(stand: Stand, body: bytes, liar: str) -> None:
    method = "POST" if body is LARGE and liar == "PUT" else liar
    wrong = changing(rb'(?i)(etag: "|<ETag>(?:&#34;|"))[0-9a-f]{4}', rb"\g<1>0bad")
    stand.line.harm(method, wrong, times=ALWAYS)
    with pytest.raises(Unavailable, match="0bad"):
        await stand.store.put("a/b", chunks(body))


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
async def test_bytes_that_change_on_their_way_are_a_failure(stand: Stand, body: bytes) -> None:
    stand.line.harm("PUT", corrupting, times=ALWAYS)
    with pytest.raises(Unavailable):
        await stand.store.put("a/b", chunks(body))
    assert await listed(stand.direct) == []


async def test_without_a_checksum_in_the_answer_the_body_is_sent_again_signed(
    stand: Stand,
) -> None:
    """And the next one at once."""
    stand.line.harm("PUT", changing(rb"(?i)x-amz-checksum-crc32", b"x-amz-c"))
    await stand.store.put("a/b", chunks(SMALL))
    assert stand.line.count("PUT") == 2
    stand.line.harm("PUT", corrupting, times=ALWAYS)
    with pytest.raises(Unavailable, match="SHA256Mismatch"):
        await stand.store.put("a/c", chunks(SMALL))
    assert stand.line.count("PUT") == 3
    assert await listed(stand.direct) == ["a/b"]


async def test_another_checksum_in_the_answer_is_a_failure(stand: Stand) -> None:
    wrong = changing(rb"(?i)(x-amz-checksum-crc32): ....", rb"\1: 0bad")
    stand.line.harm("PUT", wrong, times=ALWAYS)
    with pytest.raises(Unavailable, match="0bad"):
        await stand.store.put("a/b", chunks(SMALL))
    assert stand.line.count("PUT") == 1


async def test_a_wrong_size_is_a_failure(stand: Stand) -> None:
    stand.line.harm("HEAD", changing(rb"(?i)content-length: 1", rb"Content-Length: 2"))
    with pytest.raises(Unavailable):
        await stand.store.put("a/b", chunks(SMALL))


async def test_what_was_stored_and_is_not_there_is_a_failure(stand: Stand) -> None:
    stand.line.harm("PUT", refusing(200, "None"), times=2)
    with pytest.raises(Unavailable):
        await stand.store.put("a/b", chunks(SMALL))


@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "SignatureDoesNotMatch"])
async def test_what_an_operator_can_cure_is_unavailable(stand: Stand, code: str) -> None:
    stand.line.harm("PUT", refusing(403, code), times=ALWAYS)
    with pytest.raises(Unavailable, match=code):
        await stand.store.put("a/b", chunks(SMALL))
    assert stand.line.count("PUT") == 1, "trying again cures nothing"


async def test_a_denial_may_be_a_folder_that_is_being_removed(stand: Stand) -> None:
    stand.line.harm("PUT", refusing(403, "AccessDenied"), times=1)
    await stand.store.put("a/b", chunks(SMALL))
    assert stand.line.count("PUT") == 2
    stand.line.harm("PUT", refusing(403, "AccessDenied"), times=ALWAYS)
    with pytest.raises(Unavailable, match="AccessDenied"):
        await stand.store.put("a/b", chunks(SMALL))
    assert stand.line.count("PUT") == 2 + 3


async def test_a_full_store_is_out_of_space(stand: Stand) -> None:
    stand.line.harm("PUT", refusing(507, "XMinioStorageFull"), times=ALWAYS)
    with pytest.raises(OutOfSpace):
        await stand.store.put("a/b", chunks(SMALL))


# Reads


@pytest.mark.parametrize("crash", [False, True], ids=["cut", "reset"])
@pytest.mark.parametrize(("start", "length"), [(0, None), (7, None), (7, 2 * MIB)])
async def test_a_read_that_breaks_off_is_taken_up_again(
    stand: Stand, crash: bool, start: int, length: int | None
) -> None:
    await stand.direct.put("a/b", chunks(LARGE))
    stand.line.harm("GET", cutting(MIB, crash=crash), target="a/b", times=2)
    end = len(LARGE) if length is None else start + length
    assert await read(stand.store, "a/b", start, length) == LARGE[start:end]
    assert stand.line.count("GET", "a/b") in (2, 3)


async def test_a_read_that_never_gets_on_ends_with_an_error(stand: Stand) -> None:
    await stand.direct.put("a/b", chunks(LARGE))
    stand.line.harm("GET", cutting(MIB), target="a/b")
    stand.line.harm("GET", cutting(0), target="a/b", times=ALWAYS)
    with pytest.raises(Unavailable):
        await read(stand.store, "a/b")
    assert stand.line.count("GET", "a/b") <= 4


async def test_a_read_that_breaks_off_never_goes_on_with_another_blob(stand: Stand) -> None:
    await stand.direct.put("a/b", chunks(LARGE))
    stand.line.harm("GET", cutting(MIB), target="a/b")
    async with stand.store.open("a/b") as body:
        await anext(body)
        await stand.direct.put("a/b", chunks(b"z" * len(LARGE)))
        with pytest.raises(Unavailable):
            await ended(body)


async def test_a_read_of_what_is_deleted_and_breaks_off_is_unavailable(stand: Stand) -> None:
    await stand.direct.put("a/b", chunks(LARGE))
    stand.line.harm("GET", cutting(MIB), target="a/b")
    async with stand.store.open("a/b") as body:
        await anext(body)
        await stand.direct.delete("a/b")
        with pytest.raises(Unavailable):
            await ended(body)


async def test_another_range_than_was_asked_is_refused(stand: Stand) -> None:
    await stand.direct.put("a/b", chunks(SMALL))
    stand.line.harm("GET", changing(rb"HTTP/1.1 206", b"HTTP/1.1 200"), target="a/b")
    with pytest.raises(Unavailable):
        await read(stand.store, "a/b", 5, 10)


# Everything else


async def test_an_answer_of_no_length_is_refused(stand: Stand) -> None:
    await stand.direct.put("files/a", chunks(SMALL))
    missing = changing(rb"(?i)content-length: *\d+", b"X-Nothing: 0")
    stand.line.harm("GET", missing, target="files/a")
    with pytest.raises(Unavailable):
        await read(stand.store, "files/a")


@pytest.mark.parametrize("harm", [SICK["500"], SICK["no answer"]], ids=["500", "no answer"])
async def test_no_call_waits_for_ever_or_guesses(stand: Stand, harm: Harm) -> None:
    await stand.direct.put("a/b", chunks(SMALL))
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        stand.line.harm(method, harm, times=ALWAYS)
    store = stand.hasty
    for call in (
        lambda: read(store, "a/b"),
        lambda: store.stat("a/b"),
        lambda: store.copy("a/b", "a/c"),
        lambda: store.delete("a/b"),
        lambda: listed(store),
        lambda: store.tidy(timedelta(0)),
        store.ping,
        store.migrate,
    ):
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await call()
        assert time.monotonic() - began < HASTE
    assert await read(stand.direct, "a/b") == SMALL


async def test_a_slow_server_is_waited_for(stand: Stand) -> None:
    for method in ("PUT", "HEAD", "GET"):
        stand.line.harm(method, late(0.5))
    await stand.store.put("a/b", chunks(SMALL))
    assert await read(stand.store, "a/b") == SMALL
    assert stand.line.count("PUT") == 1


async def test_a_missing_bucket_says_nothing_of_the_blob(s3: S3Server) -> None:
    async with connect(s3.url(f"never-made-{uuid4()}")) as store:
        for call in (
            lambda: read(store, "a/b"),
            lambda: store.stat("a/b"),
            lambda: store.copy("a/b", "a/c"),
            lambda: store.put("a/b", chunks(SMALL)),
            lambda: listed(store),
            store.ping,
        ):
            with pytest.raises(Unavailable, match="no bucket"):
                await call()


async def test_nobody_listens(s3: S3Server) -> None:
    async with connect(s3.behind(free_port()).url("bucket", **HASTY)) as store:
        with pytest.raises(Unavailable) as raised:
            await store.put("a/b", chunks(SMALL))
        assert "secret" not in str(raised.value)
