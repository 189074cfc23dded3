"""Bytes of the store on their way to a client."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Final

from litestar.types import Receive, Scope, Send

from docstore.application.reading import Readable
from docstore.domain.errors import DocstoreError
from docstore.entrypoints.http.answers import send_head
from docstore.entrypoints.http.errors import note
from docstore.entrypoints.http.ranges import Span

WATCHED: Final = 1024 * 1024  # bytes of an answer for which it pays to notice a hang-up


class Download:
    """An answer that streams; an ASGI application.

    The store is asked before the answer begins, so that bytes that are gone are a 500. When they
    end too early the connection is cut: a client that was told the length sees that it lacks some.
    """

    __slots__ = ("_headers", "_readable", "_span")

    def __init__(
        self, readable: Readable, headers: Mapping[str, str], span: Span | None = None
    ) -> None:
        self._readable = readable
        self._span = span or Span(0, readable.size, readable.size)
        self._headers = {**headers, "Content-Length": str(self._span.length)}
        if span is not None:
            self._headers["Content-Range"] = span.content_range

    @property
    def status(self) -> int:
        return 206 if "Content-Range" in self._headers else 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._span.length == 0:
            await self._send_empty(send)
            return
        opened = self._readable.open(start=self._span.start, length=self._span.length)
        async with opened as body:
            if scope.get("method") == "HEAD":
                await self._send_empty(send)
                return
            await send_head(send, self.status, self._headers)
            if await self._send_all(body, scope, receive, send):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_empty(self, send: Send) -> None:
        await send_head(send, self.status, self._headers)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(
        self, body: AsyncIterator[bytes], scope: Scope, receive: Receive, send: Send
    ) -> bool:
        """Whether all of it was sent. A server closes a connection whose answer is not ended."""
        gone = asyncio.ensure_future(_hang_up(receive)) if self._span.length > WATCHED else None
        try:
            async for chunk in body:
                if gone is not None and gone.done():
                    return False
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except DocstoreError as error:
            note(scope, error, self.status, secrets.token_hex(8))
            return False
        finally:
            if gone is not None:
                gone.cancel()
                with suppress(asyncio.CancelledError):
                    await gone
        return True


async def _hang_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
