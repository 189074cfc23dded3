import asyncio
import socket
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest

from docstore.entrypoints.serving import address
from docstore.entrypoints.serving.address import (
    CannotListen,
    NoAnswer,
    answering,
    listen,
    stop_listening,
    url_of,
)
from docstore.settings import Settings


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def on(host: str = "127.0.0.1", port: int = 0, prefix: str = "") -> Settings:
    changes: dict[str, Any] = {"host": host, "port": port, "http_prefix": prefix}
    return Settings(**changes)


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("localhost", "localhost")]
)
def test_the_url_is_where_it_listens(host: str, shown: str) -> None:
    settings = on(host, prefix="/api")
    with closing(listen(settings)) as listener:
        port = listener.getsockname()[1]
        assert port > 0
        assert url_of(listener, settings) == f"http://{shown}:{port}/api"


def test_a_taken_port_is_refused() -> None:
    with closing(listen(on())) as first:
        port = first.getsockname()[1]
        with pytest.raises(CannotListen, match=f"on 127.0.0.1 port {port}: Address already in use"):
            listen(on(port=port))


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(CannotListen, match=r"DOCSTORE_HOST=256\.0\.0\.1: "):
        listen(on("256.0.0.1"))


async def answer_with(listening: Settings, answers: Sequence[bytes]) -> list[bytes]:
    """What was asked of a server that gives one answer after the other."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(answers[len(asked) - 1])
        writer.close()

    with closing(listen(listening)) as listener:
        async with await asyncio.start_server(answer, sock=listener):
            await answering(listener, listening)
    return asked


@pytest.mark.anyio
async def test_it_answers_once_it_says_that_it_serves() -> None:
    answers = (b"", b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n")
    asked = await answer_with(on(prefix="/api"), answers)
    assert asked == [b"GET /api/health HTTP/1.1\r\n"] * 3


@pytest.mark.anyio
async def test_silence_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "FIRST_ANSWER", 0.05)
    with closing(listen(on())) as listener, pytest.raises(NoAnswer):
        await answering(listener, on())


def test_what_waits_to_be_accepted_is_not_lost_when_it_stops_listening() -> None:
    listener = listen(on())
    where = listener.getsockname()
    with listener.dup() as process, socket.create_connection(where) as client:  # it shares it
        stop_listening(listener)
        with pytest.raises(TimeoutError), socket.create_connection(where, timeout=0.2):
            pass  # it is not even answered, so that its kernel tries again
        process.settimeout(5)
        accepted, _ = process.accept()
        with accepted:
            client.sendall(b"hello")
            assert accepted.recv(5) == b"hello"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(where, timeout=5)
