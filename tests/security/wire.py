"""The API on a real socket, and clients that say what no client library would."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from docstore.entrypoints.http.server import serve_http
from security.stand import Stand, peopled, prepared

PATIENCE: Final = 15.0  # seconds after which a test gives up; nothing here takes so long

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def served(root: Path, **changes: Any) -> AsyncIterator[Stand]:
    """A stand with alice and bob, served as by `docstore serve`."""
    container = await prepared(root, **changes)
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
        host, port = listener.getsockname()
        serving = asyncio.create_task(serve_http(container, listener))
        stand = Stand(
            root, container, lambda _: httpx.AsyncHTTPTransport(), f"http://{host}:{port}"
        )
        try:
            await _is_up(stand, serving)
            async with peopled(stand):
                yield stand
        finally:
            if not serving.done():
                os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(serving, PATIENCE)


async def _is_up(stand: Stand, serving: asyncio.Task[None]) -> None:
    async with stand.stranger() as client:
        while not serving.done():
            with suppress(httpx.TransportError):
                assert (await client.get("/health")).status_code == 200
                return
            await asyncio.sleep(0.01)
    await serving


@asynccontextmanager
async def connected(stand: Stand) -> AsyncIterator[Connection]:
    url = urlsplit(stand.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port, limit=2**20)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def say(
    stand: Stand, *pieces: bytes, end: bool = False, pause: float = 0
) -> Sequence[httpx.Response]:
    """What comes back, until the server closes, for bytes that are sent as they are."""
    async with connected(stand) as (reader, writer):
        with suppress(ConnectionError):  # it may have closed already
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            if end:
                writer.write_eof()
        return [*parsed(await heard(reader))]


async def heard(reader: asyncio.StreamReader) -> bytes:
    """All until the end, also when that is a reset."""
    got = bytearray()
    with suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE):
            while piece := await reader.read(2**16):
                got += piece
    return bytes(got)


def parsed(data: bytes) -> Iterator[httpx.Response]:
    """The answers, one after another."""
    while data:
        head, mark, data = data.partition(b"\r\n\r\n")
        assert mark, head
        line, *fields = head.split(b"\r\n")
        version, status, _ = line.split(b" ", 2)
        assert version == b"HTTP/1.1", line
        if status == b"100":
            continue
        headers = [(n.strip(), v.strip()) for n, _, v in (f.partition(b":") for f in fields)]
        length = int(dict(headers).get(b"content-length", b"0"))
        body, data = data[:length], data[length:]
        request = httpx.Request("GET", "http://docstore")
        yield httpx.Response(int(status), headers=headers, content=body, request=request)


def head(
    stand: Stand, *more: str, line: str = "POST /files?filename=a", who: str = "alice"
) -> bytes:
    """The head of a request in somebody's name."""
    token = stand.client(who).headers.get("Authorization", "Bearer x")
    lines = [f"{line} HTTP/1.1", "Host: x", f"Authorization: {token}", *more, "", ""]
    return "\r\n".join(lines).encode()


def resident() -> int:
    """Bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
