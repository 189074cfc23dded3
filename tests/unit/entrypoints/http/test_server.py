"""A real server on a real socket: what a client can do to one that no test client would."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest

from docstore.application import following
from docstore.container import Container
from docstore.entrypoints.http import crowding, protocol
from docstore.entrypoints.http.server import serve_http
from docstore.settings import Settings

from .conftest import PASSWORD, Store

pytestmark = pytest.mark.anyio


@pytest.fixture
def changes() -> Mapping[str, Any]:
    return {"receive_timeout": 0.3, "max_upload_bytes": 50_000_000, "drain_timeout": 5}


@pytest.fixture
async def address(container: Container) -> AsyncIterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(serve_http(container, listener))
        name: tuple[str, int] = listener.getsockname()
        try:
            await _is_up(name, serving)
            yield name
        finally:
            if not serving.done():
                os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(serving, timeout=10)


async def _is_up(address: tuple[str, int], serving: asyncio.Task[None]) -> None:
    async with httpx.AsyncClient(base_url=f"http://{address[0]}:{address[1]}") as client:
        while not serving.done():
            with suppress(httpx.TransportError):
                assert (await client.get("/health")).status_code == 200
                return
            await asyncio.sleep(0.01)
    await serving


@pytest.fixture
async def client(address: tuple[str, int]) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in, over the socket."""
    async with httpx.AsyncClient(base_url=f"http://{address[0]}:{address[1]}") as client:
        credentials = {"email": "alice@example.org", "password": PASSWORD}
        await client.post("/auth/register", json=credentials)
        token = (await client.post("/auth/login", json=credentials)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture
def store(container: Container) -> Store:
    return Store(container)


@asynccontextmanager
async def connected(
    address: tuple[str, int],
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*address)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def say(address: tuple[str, int], *pieces: bytes, end: bool = False) -> bytes:
    """What comes back, until the server closes, for bytes that are sent as they are."""
    async with connected(address) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if end:
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), timeout=10)


def head(client: httpx.AsyncClient, *more: str, path: str = "/files?filename=a") -> bytes:
    token = client.headers["Authorization"]
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Authorization: {token}", *more, "", ""]
    return "\r\n".join(lines).encode()


async def test_a_file_goes_in_and_comes_out(client: httpx.AsyncClient) -> None:
    body = os.urandom(3_000_000)
    file = (await client.post("/files?filename=a.bin", content=body)).json()
    assert (await client.get(file["links"]["content"])).content == body
    answer = await client.get(file["links"]["content"], headers={"Range": "bytes=-3"})
    assert (answer.status_code, answer.content) == (206, body[-3:])
    assert "Server" not in answer.headers


@pytest.mark.parametrize("form", [False, True])
async def test_a_client_that_hangs_up_leaves_nothing_and_no_traceback(
    address: tuple[str, int],
    client: httpx.AsyncClient,
    store: Store,
    caplog: pytest.LogCaptureFixture,
    form: bool,
) -> None:
    kind = ["Content-Type: multipart/form-data; boundary=b"] if form else []
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    path = "/upload" if form else "/files?filename=a"
    caplog.set_level(logging.INFO)
    for more in ("Content-Length: 100000", "Transfer-Encoding: chunked"):
        caplog.clear()
        async with connected(address) as (_, writer):
            start = body if form else b"x" * 1000
            if more.startswith("Transfer"):
                start = b"%x\r\n%b\r\n" % (len(start), start)
            writer.write(head(client, more, *kind, path=path) + start)
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.transport.abort()
        await until(lambda: "client abort" in caplog.text)
        assert await store.is_empty()
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


async def test_half_of_a_body_is_not_a_file(
    address: tuple[str, int], client: httpx.AsyncClient, store: Store
) -> None:
    await say(address, head(client, "Content-Length: 1000"), b"0123456789", end=True)
    assert await store.is_empty()


async def test_a_body_that_stops_is_408(
    address: tuple[str, int], client: httpx.AsyncClient, store: Store
) -> None:
    answer = await say(address, head(client, "Content-Length: 1000000"), b"x" * 1000)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"/problems/too-slow" in answer
    assert b"connection: close" in answer
    assert await store.is_empty()


async def test_bytes_beyond_the_announced_length_spoil_nothing(
    address: tuple[str, int], client: httpx.AsyncClient
) -> None:
    answer = await say(address, head(client, "Content-Length: 3"), b"abcTHE REST\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert b'"size":3,' in answer
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("token", "length", "status"),
    [(False, 5 * 1024**3, 401), (True, 10 * 1024**4, 413)],
)
async def test_who_asks_before_sending_is_refused_before_sending(
    address: tuple[str, int], client: httpx.AsyncClient, token: bool, length: int, status: int
) -> None:
    if not token:
        client.headers["Authorization"] = "Bearer x"
    expect = head(client, f"Content-Length: {length}", "Expect: 100-continue")
    answer = await say(address, expect)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"100 Continue" not in answer


async def test_who_asks_before_sending_may_send(
    address: tuple[str, int], client: httpx.AsyncClient
) -> None:
    async with connected(address) as (reader, writer):
        writer.write(head(client, "Content-Length: 5", "Expect: 100-continue"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hello")
        assert (await reader.readline()).startswith(b"HTTP/1.1 201 ")


async def test_a_stranger_with_much_to_say_is_told_no_and_not_listened_to(
    address: tuple[str, int], client: httpx.AsyncClient
) -> None:
    client.headers["Authorization"] = "Bearer x"
    async with connected(address) as (reader, writer):
        writer.write(head(client, "Content-Length: 5000000000") + b"x" * 1000)
        answer = await asyncio.wait_for(reader.read(), timeout=5)
    assert answer.startswith(b"HTTP/1.1 401 ")


GET = b"GET /health HTTP/1.1\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (GET + b"Host: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (GET + b"Host: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (GET + b"Host: x\r\nContent-Length: -1\r\n\r\n", 400),
        (GET + b"Host: x\r\nContent-Length: +5\r\n\r\n", 400),
        (GET + b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (GET + b"\r\n", 400),
        (GET + b"Host: x\r\nHost: y\r\n\r\n", 400),
        (GET + b"Host: x\r\nno colon\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"FOO /files HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (GET + b"Host: x\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n", 431),
        (GET + b"Host: x\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(10_000)) + b"\r\n", 431),
        (GET + b"Host: x\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n", 431),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /" + b"x" * 200_000, 431),
    ],
)
async def test_a_head_that_is_long_or_ambiguous_is_refused(
    address: tuple[str, int], request_: bytes, status: int
) -> None:
    async with connected(address) as (reader, writer):
        writer.write(request_)
        answer = await asyncio.wait_for(reader.read(), timeout=10)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_head_that_never_ends_is_cut(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    ok = GET + b"Host: x\r\n\r\n"
    for sent in (b"", b"GET", b"GET /health HTTP/1.1\r\nHost"):
        assert await say(address, sent) == b""
    for sent in (b"\r\n", b"GET /h"):
        async with connected(address) as (reader, writer):
            writer.write(ok)
            await reader.readuntil(b"ok")
            writer.write(sent)
            assert b"HTTP" not in await asyncio.wait_for(reader.read(), timeout=10)


async def test_the_longest_description_fits_into_the_query(client: httpx.AsyncClient) -> None:
    query = {"filename": "a", "description": "\u00fc" * 10_000}
    answer = await client.post("/files", content=b"x", params=query)
    assert answer.status_code == 201
    assert len(answer.json()["description"]) == 10_000


async def test_who_is_refused_while_sending_hears_why(
    address: tuple[str, int], client: httpx.AsyncClient
) -> None:
    client.headers["Authorization"] = "Bearer x"
    for _ in range(5):
        async with connected(address) as (reader, writer):
            writer.write(head(client, "Content-Length: 20000000") + b"x" * 20_000_000)
            answer = await asyncio.wait_for(reader.read(), timeout=5)
            assert answer.startswith(b"HTTP/1.1 401 ")
            assert b"/problems/not-authenticated" in answer
            writer.transport.abort()


async def test_a_connection_is_used_again(address: tuple[str, int]) -> None:
    close = GET + b"Host: x\r\nConnection: close\r\n\r\n"
    answer = await say(address, GET + b"Host: x\r\n\r\n" + GET + b"Host: x\r\n\r\n", close)
    assert answer.count(b"HTTP/1.1 200 ") == 3


async def test_a_download_of_lost_bytes_does_not_end_well(
    client: httpx.AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = (await client.post("/files?filename=a", content=b"x" * 3_000_000)).json()
    blobs = container.blobs()
    opened = blobs.open

    @asynccontextmanager
    async def open_less(key: str, *, start: int = 0, length: int | None = None) -> Any:
        async with opened(key, start=start, length=100_000) as body:
            yield body

    monkeypatch.setattr(blobs, "open", open_less)
    monkeypatch.setattr(following, "VERIFIED", 0)  # or it is seen before the answer begins
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(file["links"]["content"])


async def test_what_runs_is_finished_when_it_is_told_to_stop(
    container: Container, settings: Settings, store: Store
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(serve_http(container, listener))
        address = listener.getsockname()
        await _is_up(address, serving)
        async with httpx.AsyncClient(base_url=f"http://{address[0]}:{address[1]}") as client:
            credentials = {"email": "alice@example.org", "password": PASSWORD}
            await client.post("/auth/register", json=credentials)
            token = (await client.post("/auth/login", json=credentials)).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            async with connected(address) as (reader, writer):
                writer.write(head(client, "Content-Length: 6") + b"abc")
                await asyncio.sleep(0.05)
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.sleep(0.15)
                assert not serving.done()
                writer.write(b"def")
                assert (await reader.readline()).startswith(b"HTTP/1.1 201 ")
        await asyncio.wait_for(serving, timeout=10)
    assert [file.size for file in await store.files()] == [6]


async def test_a_request_on_its_way_is_answered_when_it_is_told_to_stop(
    container: Container, settings: Settings
) -> None:
    """On a connection that was accepted, and on one that was kept; each is the last."""
    ask = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(serve_http(container, listener))
        address = listener.getsockname()
        await _is_up(address, serving)
        async with connected(address) as new, connected(address) as kept:
            kept[1].write(ask)
            await kept[0].readuntil(b"}")
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.2)  # uvicorn looks every 0.1 s
            for reader, writer in (new, kept):
                writer.write(ask)
                assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        await asyncio.wait_for(serving, timeout=10)


async def test_an_idle_connection_does_not_keep_the_server_from_stopping(
    container: Container, settings: Settings
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(serve_http(container, listener))
        address = listener.getsockname()
        await _is_up(address, serving)
        async with connected(address) as (reader, _):
            os.kill(os.getpid(), signal.SIGTERM)
            assert await asyncio.wait_for(reader.read(), timeout=3) == b""
        await asyncio.wait_for(serving, timeout=10)


async def test_who_is_one_too_many_is_told_so(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowding, "most_connections", lambda: 1)
    monkeypatch.setattr(crowding, "SPARE", 1)
    ask = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    async with connected(address) as (first, writer), connected(address) as (second, _):
        assert await asyncio.wait_for(second.readline(), 5) == (
            b"HTTP/1.1 503 Service Unavailable\r\n"
        )
        with suppress(ConnectionResetError):
            assert await say(address, ask) == b""  # one more is just cut
        writer.write(ask)
        assert (await first.read()).startswith(b"HTTP/1.1 200 ")
