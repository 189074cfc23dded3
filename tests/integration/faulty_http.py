"""A line to an HTTP server that does harm when it is told to: it stands between the store and S3.

async with faulty_line(server.port) as line:
    line.harm("PUT", refusing(503, "SlowDown"), times=2)
"""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, TypeAlias

MOST_OF_A_HEAD: Final = 256 * 1024
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_NO_BODY: Final = re.compile(rb"HTTP/1\.\d (1\d\d|204|304)")


@dataclass
class Exchange:
    """One request, and what becomes of it."""

    head: bytes
    client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    server: asyncio.StreamReader
    to_server: asyncio.StreamWriter
    is_last: bool = False  # the connection ends with it

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def target(self) -> str:
        """Path and query."""
        return self.head.split(b" ", 2)[1].decode()

    @property
    def body_size(self) -> int:
        return _length(self.head)

    async def ask(self, body: bytes | None = None) -> tuple[bytes, bytes]:
        """Pass the request on; the server's answer, its head and its body as they were sent.
        `body` is what was read of the request already.
        """
        if body is None:
            body = await self.client.readexactly(self.body_size)
        self.to_server.write(self.head + body)
        await self.to_server.drain()
        head = await self.server.readuntil(b"\r\n\r\n")
        if self.method == "HEAD" or _NO_BODY.match(head):
            return head, b""
        if _CHUNKED.search(head):
            return head, await _chunked(self.server)
        return head, await self.server.readexactly(_length(head))

    async def give(self, answer: bytes) -> None:
        self.to_client.write(answer)
        await self.to_client.drain()

    def reset(self) -> None:
        """End the connection as a crash does, not as a peer that has said all."""
        line: socket.socket = self.to_client.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.to_client.transport.abort()
        self.is_last = True


Harm: TypeAlias = Callable[[Exchange], Awaitable[None]]


def refusing(status: int, code: str) -> Harm:
    """The server is not even asked."""

    async def act(exchange: Exchange) -> None:
        await exchange.client.readexactly(exchange.body_size)
        body = f"<Error><Code>{code}</Code><Message>planted</Message></Error>".encode()
        if exchange.method == "HEAD":
            body = b""
        head = f"HTTP/1.1 {status} x\r\nContent-Type: application/xml\r\n"
        await exchange.give(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    return act


def changing(pattern: bytes, to: bytes) -> Harm:
    """The server's answer, with other bytes of the same number in it."""

    async def act(exchange: Exchange) -> None:
        head, body = await exchange.ask()
        await exchange.give(re.sub(pattern, to, head) + re.sub(pattern, to, body))

    return act


def cutting(at: int, *, crash: bool = False) -> Harm:
    """No more than `at` bytes of the answer's body come."""

    async def act(exchange: Exchange) -> None:
        head, body = await exchange.ask()
        await exchange.give(head + body[:at])
        exchange.is_last = True
        if crash:
            await asyncio.sleep(0.05)  # a reset overtakes what was sent
            exchange.reset()

    return act


async def losing(exchange: Exchange) -> None:
    """The server does what it is asked, and its answer is lost."""
    await exchange.ask()
    exchange.reset()


async def crashing(exchange: Exchange) -> None:
    """A reset in the middle of the request's body."""
    await exchange.client.readexactly(exchange.body_size // 2)
    exchange.reset()


async def corrupting(exchange: Exchange) -> None:
    """One bit of the request's body changes on its way."""
    body = bytearray(await exchange.client.readexactly(exchange.body_size))
    body[len(body) // 2] ^= 1
    await exchange.give(b"".join(await exchange.ask(bytes(body))))


async def hanging(exchange: Exchange) -> None:
    """Nothing is ever answered."""
    await exchange.client.readexactly(exchange.body_size)
    await exchange.client.read()
    exchange.is_last = True


def late(seconds: float) -> Harm:
    async def act(exchange: Exchange) -> None:
        head, body = await exchange.ask()
        await asyncio.sleep(seconds)
        await exchange.give(head + body)

    return act


@dataclass
class _Planned:
    method: str
    target: re.Pattern[str]
    harm: Harm
    times: int


@dataclass
class Line:
    """Passes on every request, but for those that come to harm."""

    server_port: int
    port: int = 0
    requests: list[str] = field(default_factory=list)  # method and target
    _plan: list[_Planned] = field(default_factory=list)

    def harm(self, method: str, harm: Harm, *, target: str = "", times: int = 1) -> None:
        """Do so to the next `times` requests of that method whose target has that in it."""
        self._plan.append(_Planned(method, re.compile(target), harm, times))

    def count(self, method: str, target: str = "") -> int:
        """How many such requests have come."""
        pattern = re.compile(f"{method} .*{target}")
        return sum(pattern.match(request) is not None for request in self.requests)

    async def carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        async with _closing(to_client):
            server, to_server = await asyncio.open_connection(
                "127.0.0.1", self.server_port, limit=MOST_OF_A_HEAD
            )
            async with _closing(to_server):
                with suppress(asyncio.IncompleteReadError, ConnectionError):
                    while await self._exchange(client, to_client, server, to_server):
                        pass

    async def _exchange(
        self,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> bool:
        """One request; whether there may be another."""
        head = await client.readuntil(b"\r\n\r\n")
        exchange = Exchange(head, client, to_client, server, to_server)
        self.requests.append(f"{exchange.method} {exchange.target}")
        await self._harm_for(exchange)(exchange)
        return not exchange.is_last

    def _harm_for(self, exchange: Exchange) -> Harm:
        for planned in self._plan:
            if planned.method != exchange.method or not planned.target.search(exchange.target):
                continue
            if planned.times > 0:
                planned.times -= 1
                return planned.harm
        return _passing


@asynccontextmanager
async def faulty_line(server_port: int) -> AsyncIterator[Line]:
    """A line to that port of this machine; its own is `port`."""
    line = Line(server_port)
    tasks: set[asyncio.Task[None]] = set()

    def accept(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(line.carry(client, to_client))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, limit=MOST_OF_A_HEAD)
    line.port = listener.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        listener.close()
        ending = [*tasks]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await listener.wait_closed()


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _passing(exchange: Exchange) -> None:
    head, body = await exchange.ask()
    await exchange.give(head + body)


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    got = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        rest = await reader.readexactly(int(line.split(b";")[0], 16) + 2)
        got += line + rest
        if rest == b"\r\n":
            return got
