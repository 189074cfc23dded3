"""Bodies by themselves: in time, whole, and not thrown away for long."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from litestar import Request

from docstore.domain.errors import TooSlow
from docstore.entrypoints.http.bodies import DISCARDED, MIN_PACE, closing, received
from docstore.entrypoints.http.refusals import ClientGone

pytestmark = pytest.mark.anyio

Message = Mapping[str, Any]
END: Message = {"type": "http.request", "body": b"", "more_body": False}
GONE: Message = {"type": "http.disconnect"}


def chunk(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def request(messages: Iterable[Message], pause: float = 0.0) -> Request[Any, Any, Any]:
    """A request whose body arrives as `messages`, `pause` seconds apart, then never again."""
    coming = iter(messages)

    async def receive() -> Any:
        await asyncio.sleep(pause)
        for message in coming:
            return message
        return await asyncio.get_running_loop().create_future()

    scope: Any = {"type": "http", "method": "POST", "path": "/", "headers": [], "state": {}}
    return Request(scope, receive)


async def read(messages: Sequence[Message], patience: float = 5.0, pause: float = 0.0) -> bytes:
    body = received(request(messages, pause), patience)
    return b"".join([chunk async for chunk in body])


async def test_a_body_is_read_to_its_end_and_empty_chunks_are_none() -> None:
    sent = request([chunk(b"a"), chunk(b""), chunk(b"b"), END, GONE])
    assert [piece async for piece in received(sent, 5.0)] == [b"a", b"b"]


async def test_no_body_at_all_is_empty() -> None:
    assert await read([END]) == b""


async def test_who_hangs_up_before_the_end_is_gone() -> None:
    with pytest.raises(ClientGone):
        await read([chunk(b"a"), GONE])


async def test_silence_is_too_slow() -> None:
    with pytest.raises(TooSlow):
        await read([chunk(b"a")], patience=0.02)


async def test_a_drip_is_too_slow_although_it_never_stops() -> None:
    with pytest.raises(TooSlow):
        await read([*[chunk(b"a")] * 30, END], patience=0.05, pause=0.01)


async def test_a_fast_start_buys_no_slow_rest() -> None:
    fast = chunk(b"a" * 1_000_000)
    with pytest.raises(TooSlow):
        await read([fast, *[chunk(b"a")] * 30, END], patience=0.05, pause=0.01)


async def test_a_steady_pace_is_not() -> None:
    piece = b"a" * MIN_PACE
    body = await read([*[chunk(piece)] * 12, END], patience=0.4, pause=0.05)
    assert len(body) == 12 * MIN_PACE


async def test_time_that_we_spend_ourselves_is_not_the_clients() -> None:
    sent = request([*[chunk(b"a")] * 5, END])
    async for _ in received(sent, 0.05):
        await asyncio.sleep(0.03)


@pytest.mark.parametrize(
    ("headers", "read", "closes"),
    [
        ([], False, False),
        ([(b"content-length", b"0")], False, False),
        ([(b"content-length", str(DISCARDED).encode())], False, False),
        ([(b"content-length", str(DISCARDED + 1).encode())], False, True),
        ([(b"content-length", str(DISCARDED + 1).encode())], True, False),
        ([(b"transfer-encoding", b"chunked")], False, True),
        ([(b"transfer-encoding", b"chunked")], True, False),
        ([(b"content-length", b"x")], False, True),
    ],
)
async def test_a_long_body_that_nobody_read_ends_the_connection(
    headers: list[tuple[bytes, bytes]], read: bool, closes: bool
) -> None:
    sent = request([chunk(b"x", more=False)])
    scope: Any = sent.scope
    scope["headers"] = headers
    if read:
        assert [piece async for piece in received(sent, 5.0)] == [b"x"]
    assert ((b"connection", b"close") in closing(scope, 401)) is closes
