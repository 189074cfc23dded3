import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from docstore.entrypoints.http import accepting
from docstore.entrypoints.http.accepting import Acceptor
from docstore.entrypoints.http.sharing import Share, shared_table

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Taken(asyncio.Protocol):
    """Says hello, and where it was taken."""

    def __init__(self, where: list["Taken"]) -> None:
        self._where = where

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"hello")
        self._where.append(self)


@pytest.fixture
async def listener() -> AsyncIterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def connected(listener: socket.socket) -> socket.socket:
    line = socket.create_connection(listener.getsockname())
    line.setblocking(False)
    return line


async def heard(line: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    return await asyncio.wait_for(loop.sock_recv(line, 99), 5)


async def test_a_connection_is_taken_and_stays_after_the_end(listener: socket.socket) -> None:
    taken: list[Taken] = []
    acceptor = Acceptor(listener, lambda: Taken(taken))
    with closing(connected(listener)) as line:
        assert await heard(line) == b"hello"
        acceptor.close()
        await acceptor.wait_closed()
        taken[0].transport.write(b"still there")
        assert await heard(line) == b"still there"
        taken[0].transport.close()


async def test_those_who_share_a_socket_share_the_connections(listener: socket.socket) -> None:
    with ExitStack() as stack:
        lines = [stack.enter_context(closing(connected(listener))) for _ in range(20)]
        shares: list[list[Taken]] = [[], []]
        sockets = [stack.enter_context(closing(listener.dup())) for _ in shares]
        first, second = (
            Acceptor(each, lambda share=share: Taken(share))  # type: ignore[misc]
            for each, share in zip(sockets, shares, strict=True)
        )
        assert [await heard(line) for line in lines] == [b"hello"] * 20
        assert 5 <= len(shares[0]) <= 15
        first.close()
        second.close()
        for each in (*shares[0], *shares[1]):
            each.transport.close()


async def test_who_has_more_leaves_the_next_ones_to_others(listener: socket.socket) -> None:
    with ExitStack() as stack:
        table = stack.enter_context(shared_table(2))
        ahead, behind = Share(table, 0), Share(table, 1)
        taken: list[list[Taken]] = [[], []]
        acceptors = [
            Acceptor(
                stack.enter_context(closing(listener.dup())),
                lambda: Taken(taken[0]),
                ahead,
                lambda: 6 + len(taken[0]),
            ),
            Acceptor(
                stack.enter_context(closing(listener.dup())),
                lambda: Taken(taken[1]),
                behind,
                lambda: len(taken[1]),
            ),
        ]
        ahead.tell(6)
        for _ in range(6):
            line = stack.enter_context(closing(connected(listener)))
            assert await heard(line) == b"hello"
        assert len(taken[1]) >= 4
        for acceptor in acceptors:
            acceptor.close()
        for each in (*taken[0], *taken[1]):
            each.transport.close()


async def test_what_nobody_else_takes_is_taken_all_the_same(listener: socket.socket) -> None:
    taken: list[Taken] = []
    with shared_table(2) as table:
        share = Share(table, 0)  # the other hangs, or is gone
        acceptor = Acceptor(listener, lambda: Taken(taken), share, lambda: len(taken))
        lines = [connected(listener) for _ in range(5)]
        assert [await heard(line) for line in lines] == [b"hello"] * 5
        assert share.is_ahead()
        acceptor.close()
        for each in taken:
            each.transport.close()
        for line in lines:
            line.close()


class Crowded(socket.socket):
    """Has no room for the first connections."""

    refuses = 2
    asked = 0

    def accept(self) -> tuple[socket.socket, Any]:
        self.asked += 1
        if self.asked <= self.refuses:
            raise OSError(errno.EMFILE, "too many open files")
        return super().accept()


async def test_who_finds_no_room_waits_for_some(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "PAUSE", 0.02)
    taken: list[Taken] = []
    with Crowded(fileno=listener.dup().detach()) as crowded, closing(connected(listener)) as line:
        acceptor = Acceptor(crowded, lambda: Taken(taken))
        assert await heard(line) == b"hello"
        assert crowded.asked == 3, "it looks again after a pause, not at once"
        acceptor.close()
        taken[0].transport.close()


async def test_it_can_end_during_the_pause(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "PAUSE", 0.02)
    with Crowded(fileno=listener.dup().detach()) as crowded, closing(connected(listener)):
        acceptor = Acceptor(crowded, lambda: Taken([]))
        await asyncio.sleep(0.01)
        assert crowded.asked == 1
        acceptor.close()
        await asyncio.sleep(0.05)
        assert crowded.asked == 1


async def test_who_is_gone_already_harms_nobody(listener: socket.socket) -> None:
    taken: list[Taken] = []
    acceptor = Acceptor(listener, lambda: Taken(taken))
    for _ in range(5):
        connected(listener).close()
    with closing(connected(listener)) as line:
        assert await heard(line) == b"hello"
    acceptor.close()
    await acceptor.wait_closed()
    for each in taken:
        each.transport.close()
