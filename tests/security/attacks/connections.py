"""Of all chapters: what a client library would not send, and what many clients send at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Final
from unittest.mock import patch
from uuid import UUID

import httpx

from docstore.domain.ids import JobId
from docstore.entrypoints.http import crowding
from security.attack import Answers, Table
from security.stand import NOTHING, PASSWORD, Stand
from security.wire import connected, head, heard, parsed, resident, say

rows = Table()

MEBIBYTE: Final = 1024**2
GET: Final = b"GET /health HTTP/1.1\r\n"
OK: Final = GET + b"Host: x\r\n\r\n"
HALF_A_FORM: Final = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx'
FORM: Final = "Content-Type: multipart/form-data; boundary=b"


async def still_well(stand: Stand) -> httpx.Response:
    async with stand.stranger() as client:
        return await client.get("/health")


def says(id: str, sent: str, statuses: int | Sequence[int], *requests: bytes) -> None:
    """A row that is some requests, each on a connection of its own, each with one answer."""

    @rows.act(id, sent, statuses)
    async def act(stand: Stand) -> Answers:
        answers = [await say(stand, request) for request in requests]
        assert [len(each) for each in answers] == [1] * len(requests)
        return [answer for each in answers for answer in each]


CUT: Final = (("Content-Length: 1000", b"0123456789"), ("Transfer-Encoding: chunked", b"a\r\n0123"),
              ("Transfer-Encoding: chunked", b"a\r\n0123456789\r\n"))  # fmt: skip


@rows.act("U5", "a body that ends before its end, by FIN and by RST", 200)
async def cut_short(stand: Stand) -> Answers:
    before = stand.remains()
    for length, body in CUT:
        assert all(
            a.status_code == 400 for a in await say(stand, head(stand, length), body, end=True)
        )
        async with connected(stand) as (_, writer):  # which is reset in the end
            writer.write(head(stand, length) + body)
            await writer.drain()
            await asyncio.sleep(0.02)
    form = head(stand, FORM, "Content-Length: 1000", line="POST /upload")
    assert {a.status_code for a in await say(stand, form, HALF_A_FORM, end=True)} <= {400}
    assert await stand.has_left(before) == NOTHING
    return await still_well(stand)


@rows.act("U6", "a body longer than it says", 201)
async def longer_than_it_says(stand: Stand) -> Answers:
    answers = await say(stand, head(stand, "Content-Length: 3"), b"abcTHE REST\r\n\r\n")
    assert [answer.json()["size"] for answer in answers] == [3]
    content = await stand.ask("GET", answers[0].json()["links"]["content"])
    assert content.content == b"abc"
    return answers


@rows.act("U7", "5 GB from somebody without a token, asked for and not", 401)
async def much_from_nobody(stand: Stand) -> Answers:
    answers: list[httpx.Response] = []
    for more in (["Expect: 100-continue"], []):
        request = head(stand, "Content-Length: 5000000000", *more, who="anon")
        body = () if more else (b"x" * 1000,)
        async with connected(stand) as (reader, writer):
            writer.write(b"".join([request, *body]))
            said = await heard(reader)
        assert b"100 Continue" not in said
        answers += parsed(said)
    assert len(answers) == 2
    return answers


@rows.act("U3", "10 TB, asked for before they are sent", 413)
async def asked_for(stand: Stand) -> Answers:
    request = head(stand, f"Content-Length: {10 * 1024**4}", "Expect: 100-continue")
    return await say(stand, request)


SMUGGLED: Final = b"0\r\n\r\nGET /files HTTP/1.1\r\nHost: x\r\n\r\n"
says(
    "H1", "Content-Length and Transfer-Encoding together", 400,
    GET + b"Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + SMUGGLED,
    GET + b"Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + SMUGGLED,
    GET + b"Host: x\r\nTransfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n" + SMUGGLED,
    GET + b"Host: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n" + SMUGGLED,
)  # fmt: skip
says(
    "H2", "two lengths, and lengths and chunks that are none", 400,
    *(
        GET + b"Host: x\r\n" + fields + b"\r\n\r\n"
        for fields in (
            b"Content-Length: 1\r\nContent-Length: 2", b"Content-Length: -1", b"Content-Length: +5",
            b"Content-Length: 0x10", b"Content-Length: 1_0", b"Content-Length: 1,1",
            b"Transfer-Encoding: chunked\r\n\r\nzz", b"Transfer-Encoding: chunked\r\n\r\n-1",
        )
    ),
)  # fmt: skip
says(
    "H3", "a header of 1 MB, 10,000 headers", 431,
    GET + b"Host: x\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
    GET + b"Host: x\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(10_000)) + b"\r\n",
)  # fmt: skip
says(
    "H3", "a target of 100 kB, and the beginning of one of 1 MB", (414, 431),
    b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /files?cursor=" + b"x" * 1_000_000,
    b"GET /files?" + b"tag=t&" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
)  # fmt: skip
says(
    "H4", "no Host, and two", 400,
    GET + b"\r\n", GET + b"Host: x\r\nHost: y\r\n\r\n", GET + b"Host: x\r\nHost: x\r\n\r\n",
)  # fmt: skip
says(
    "H2", "what is no HTTP", 400,
    GET + b"Host: x\r\nno colon\r\n\r\n", b"nonsense\r\n\r\n",
    b"get /health HTTP/1.1\r\nHost: x\r\n\r\n",
    GET + b"Host: x\r\n folded: 1\r\n\r\n", b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", GET + b"Host: x\r\nX\x00: 1\r\n\r\n",
)  # fmt: skip


says("H5", "a method that HTTP knows, and no route", 405,
     b"TRACE /files HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")  # fmt: skip
says(
    "H5", "methods that the parser does not know, or that are not for us", 405,
    b"FOO /files HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
)  # fmt: skip


@rows.act("H1", "many requests in one piece", 200)
async def pipelined(stand: Stand) -> Answers:
    last = GET + b"Host: x\r\nConnection: close\r\n\r\n"
    answers = await say(stand, OK * 50 + last)
    assert len(answers) == 51
    return answers


@rows.act("X1", "200 connections that say nothing, 100 that never end their head", 200)
async def silent(stand: Stand) -> Answers:
    async def drip(writer: asyncio.StreamWriter) -> None:
        for byte in GET * 100:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)

    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(stand)) for _ in range(300)]
        dripping = [asyncio.create_task(drip(writer)) for _, writer in connections[200:]]
        answers = [await still_well(stand) for _ in range(5)]
        said = await asyncio.gather(*(heard(reader) for reader, _ in connections))
        for task in dripping:
            task.cancel()
        await asyncio.gather(*dripping, return_exceptions=True)
    assert set(said) == {b""}
    return answers


@rows.act("X2", "bodies that stop, and bodies that drip", 408)
async def slow_bodies(stand: Stand) -> Answers:
    before = stand.remains()
    length = head(stand, "Content-Length: 1000000")
    chunked = head(stand, "Transfer-Encoding: chunked")
    form = head(stand, FORM, "Content-Length: 1000000", line="POST /upload")
    found = await asyncio.gather(
        say(stand, length, b"x" * 1000),
        say(stand, length, *[b"x"] * 15, pause=0.1),
        say(stand, chunked, *[b"1\r\nx\r\n"] * 15, pause=0.1),
        say(stand, form, HALF_A_FORM),
        say(stand, head(stand, "Content-Length: 99", "Content-Type: application/json",
                        line="POST /auth/login"), b"{"),
    )  # fmt: skip
    assert await stand.has_left(before) == NOTHING
    assert [len(each) for each in found] == [1] * 5
    return [each[0] for each in found]


@rows.act("X3", "50 uploads of 8 MiB at once", 201)
async def many_uploads(stand: Stand) -> Answers:
    piece = b"x" * 65536

    async def body() -> AsyncIterator[bytes]:
        for _ in range(8 * MEBIBYTE // len(piece)):
            yield piece

    await stand.ask("POST", "/files?filename=a", content=body())
    before = resident()
    answers = await asyncio.gather(
        *(stand.ask("POST", "/files?filename=a", content=body()) for _ in range(50))
    )
    assert resident() - before < 64 * MEBIBYTE
    return answers


@rows.act("X1", "more connections than there is room for", 200)
async def too_many(stand: Stand) -> Answers:
    async with AsyncExitStack() as stack:
        stack.enter_context(patch.object(crowding, "most_connections", lambda: 20))
        connections = [await stack.enter_async_context(connected(stand)) for _ in range(40)]
        said = await asyncio.gather(*(heard(reader) for reader, _ in connections))
    told = [answer for each in said if each for answer in parsed(each)]
    assert 1 <= len(told) <= crowding.SPARE
    for answer in told:
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
    return await still_well(stand)


@rows.act("D6", "100 readers that take nothing", 200)
async def silent_readers(stand: Stand) -> Answers:
    file = await stand.upload(b"x" * (16 * MEBIBYTE))
    request = head(stand, line=f"GET {file['links']['content']}")
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(connected(stand)) for _ in range(100)]
        for reader, writer in readers:
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(request)
        answers = []
        for _ in range(10):
            answers.append(await stand.ask("GET", f"/files/{file['id']}"))
            answers.append(await stand.ask("POST", "/files?filename=a", content=b"x"))
    return [answer for answer in answers if answer.status_code == 200]


@rows.act("D6", "a reader that takes nothing for a long time", 200)
async def cut_off(stand: Stand) -> Answers:
    file = await stand.upload(b"x" * (64 * MEBIBYTE))
    async with connected(stand) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(head(stand, line=f"GET {file['links']['content']}"))
        await asyncio.sleep(2.5)
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await heard(reader)) < file["size"]
    return await still_well(stand)


@rows.act("X9", "100 slow requests on few connections to the database", 200)
async def slow_requests(stand: Stand) -> Answers:
    file = await stand.upload()
    waits = [
        asyncio.create_task(stand.ask("GET", f"/files/{file['id']}?wait=2")) for _ in range(100)
    ]
    quick = [await stand.ask("GET", "/files", who="bob") for _ in range(20)]
    assert not all(task.done() for task in waits)
    return [*quick, *await asyncio.gather(*waits)]


@rows.act("Z10", "an account that goes while a download of it runs", 401)
async def gone_meanwhile(stand: Stand) -> Answers:
    client = await stand.join("carol")
    file = await stand.upload(b"x" * (16 * MEBIBYTE), who="carol")
    line = f"GET {file['links']['content']}"
    async with connected(stand) as (reader, writer):
        writer.write(head(stand, "Connection: close", line=line, who="carol"))
        assert b" 200 OK" in await reader.readline()
        await _close(stand, client)
        rest = await heard(reader)
    assert len(rest.partition(b"\r\n\r\n")[2]) <= file["size"]
    assert not [path for path in stand.remains().paths if file["id"] in str(path)]
    return [await client.get("/auth/me"), await client.get(file["links"]["content"])]


async def _close(stand: Stand, client: httpx.AsyncClient) -> None:
    before = stand.remains()
    with stand.preparing():
        closed = await client.request("DELETE", "/auth/me", json={"password": PASSWORD})
        assert closed.status_code == 204
        ((_, purge),) = (stand.remains() - before).rows
        await stand.docstore.background.work(JobId(UUID(purge)))
