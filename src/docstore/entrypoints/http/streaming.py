"""Bytes of the store on their way to a client."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, suppress
from typing import Final

from litestar.types import Receive, Scope, Send

from docstore.application.reading import Readable
from docstore.domain.errors import DocstoreError
from docstore.entrypoints.http.answers import send_head
from docstore.entrypoints.http.byteranges import Body, Part
from docstore.entrypoints.http.errors import note
from docstore.entrypoints.http.ranges import Span

WATCHED: Final = 1024 * 1024  # bytes of an answer for which it pays to notice a hang-up


class Download:
    """An answer that streams; an ASGI application.

    The store is asked before the answer begins, so that bytes that are gone are a 500. When they
    end too early the connection is cut: a client that was told the length sees that it lacks some.
    """

    __slots__ = ("_body", "_headers", "_readable", "status")

    def __init__(
        self, readable: Readable, headers: Mapping[str, str], spans: Sequence[Span] = ()
    ) -> None:
        self.status = 206 if spans else 200
        self._readable = readable
        self._headers = dict(headers)
        if len(spans) > 1:
            self._body = Body.multipart(spans, readable.media_type)
            self._headers["Content-Type"] = f"multipart/byteranges; boundary={self._body.boundary}"
        else:
            self._body = Body.plain(spans[0] if spans else Span(0, readable.size, readable.size))
        if len(spans) == 1:
            self._headers["Content-Range"] = spans[0].content_range
        self._headers["Content-Length"] = str(self._body.length)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._body.length == 0:
            await self._send_empty(send)
            return
        async with AsyncExitStack() as stack:
            begun = await stack.enter_async_context(self._open(self._body.parts[0]))
            if scope.get("method") == "HEAD":
                await self._send_empty(send)
                return
            await send_head(send, self.status, self._headers)
            chunks = await stack.enter_async_context(aclosing(self._chunks(begun)))
            if await self._send_all(chunks, scope, receive, send):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _open(self, part: Part) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        return self._readable.open(start=part.span.start, length=part.span.length)

    async def _chunks(self, begun: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Everything; `begun` are the bytes of the first part."""
        first, *more = self._body.parts
        if first.preface:
            yield first.preface
        async for chunk in begun:
            yield chunk
        for part in more:
            yield part.preface
            async with self._open(part) as body:
                async for chunk in body:
                    yield chunk
        if self._body.close:
            yield self._body.close

    async def _send_empty(self, send: Send) -> None:
        await send_head(send, self.status, self._headers)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(
        self, chunks: AsyncIterator[bytes], scope: Scope, receive: Receive, send: Send
    ) -> bool:
        """Whether all of it was sent. A server closes a connection whose answer is not ended."""
        gone = asyncio.ensure_future(_hang_up(receive)) if self._body.length > WATCHED else None
        try:
            async for chunk in chunks:
                if gone is not None and gone.done():
                    return False
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except DocstoreError as error:
            note(scope, error, self.status)
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
