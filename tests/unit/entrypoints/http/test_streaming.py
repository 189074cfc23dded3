"""Answers that stream: what was promised arrives, or the connection does not end well."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from docstore.application.reading import Readable
from docstore.domain.errors import Damaged
from docstore.domain.names import MediaType
from docstore.entrypoints.http.ranges import Span
from docstore.entrypoints.http.streaming import WATCHED, Download
from docstore.testing.builders import a_file

pytestmark = pytest.mark.anyio


class Source:
    """A stored file of some pieces; notes what was asked of it and whether it was closed."""

    def __init__(self, pieces: Sequence[bytes], error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.asked: list[tuple[int, int | None]] = []
        self.given = 0
        self.is_open = False

    def readable(self, size: int) -> Readable:
        return Readable(a_file(), MediaType("text/plain"), size, None, self.open)

    @asynccontextmanager
    async def open(self, start: int, length: int | None) -> AsyncIterator[AsyncIterator[bytes]]:
        self.asked.append((start, length))
        self.is_open = True
        try:
            yield self._read()
        finally:
            self.is_open = False

    async def _read(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.given += 1
            yield piece
        if self.error:
            raise self.error


async def run(
    download: Download, method: str = "GET", hang_up: asyncio.Event | None = None
) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        await (hang_up or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if hang_up is not None and len(sent) > 3:
            hang_up.set()
        await asyncio.sleep(0)

    await download({"method": method, "path": "/x"}, receive, send)  # type: ignore[arg-type]
    return sent


def body_of(sent: Sequence[Any]) -> bytes:
    return b"".join(message["body"] for message in sent[1:])


async def test_all_pieces_are_sent_and_the_answer_is_ended() -> None:
    source = Source([b"ab", b"c"])
    sent = await run(Download(source.readable(3), {"X-Own": "1"}))
    assert sent[0]["status"] == 200
    assert dict(sent[0]["headers"]) == {b"x-own": b"1", b"content-length": b"3"}
    assert (body_of(sent), sent[-1]["more_body"]) == (b"abc", False)
    assert (source.asked, source.is_open) == ([(0, 3)], False)


async def test_a_span_is_asked_of_the_store() -> None:
    source = Source([b"bc"])
    sent = await run(Download(source.readable(10), {}, [Span(1, 2, 10)]))
    assert sent[0]["status"] == 206
    assert (b"content-range", b"bytes 1-2/10") in sent[0]["headers"]
    assert source.asked == [(1, 2)]


async def test_head_opens_the_file_and_sends_none_of_it() -> None:
    source = Source([b"abc"])
    sent = await run(Download(source.readable(3), {}), "HEAD")
    assert (b"content-length", b"3") in sent[0]["headers"]
    assert (body_of(sent), source.asked, source.given) == (b"", [(0, 3)], 0)


async def test_an_empty_text_is_not_even_opened() -> None:
    source = Source([])
    sent = await run(Download(source.readable(0), {}))
    assert (sent[0]["status"], body_of(sent), source.asked) == (200, b"", [])


async def test_bytes_that_end_too_early_never_end_the_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = Source([b"ab"], Damaged("the stored bytes end too early"))
    with caplog.at_level(logging.INFO, logger="docstore"):
        sent = await run(Download(source.readable(3), {}))
    assert body_of(sent) == b"ab"
    assert sent[-1]["more_body"] is True
    assert "too early" in caplog.text
    assert not source.is_open


async def test_who_hangs_up_is_not_read_for(caplog: pytest.LogCaptureFixture) -> None:
    source = Source([b"x" * 1024] * (WATCHED // 1024 + 1))
    sent = await run(Download(source.readable(WATCHED + 1024), {}), hang_up=asyncio.Event())
    assert sent[-1]["more_body"] is True
    assert source.given < 10
    assert not source.is_open
    assert not caplog.records
