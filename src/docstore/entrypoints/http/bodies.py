"""A request's body as it arrives: in time, whole, and not longer than it may be."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

from litestar import Request
from litestar.types import Scope

from docstore.domain.errors import Malformed, TooLarge, TooSlow
from docstore.entrypoints.http.refusals import ClientGone

MIN_PACE: Final = 1024  # bytes a second, on the average of the time we waited
DISCARDED: Final = 64 * 1024  # bytes of an unread body that are not worth a new connection
_READ: Final = "docstore_body_read"

AnyRequest = Request[Any, Any, Any]


async def received(request: AnyRequest, patience: float) -> AsyncIterator[bytes]:
    """The body, in chunks that are never empty.

    Raises TooSlow when nothing comes for `patience` seconds, or so little that a client could
    hold the connection for ever; ClientGone when it hangs up before the end.
    """
    clock = asyncio.get_running_loop().time
    waited, got, more = 0.0, 0, True
    while more:
        began = clock()
        message = await _next(request, patience)
        waited += clock() - began
        chunk: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        got += len(chunk)
        if waited > patience:
            if got < waited * MIN_PACE:
                raise TooSlow(f"fewer than {MIN_PACE} bytes a second")
            waited, got = 0.0, 0
        if chunk:
            yield chunk
    request.scope["state"][_READ] = True


async def _next(request: AnyRequest, patience: float) -> dict[str, Any]:
    try:
        async with asyncio.timeout(patience):
            message: dict[str, Any] = dict(await request.receive())
    except TimeoutError:
        raise TooSlow(f"no byte of the body came for {patience:.0f} s") from None
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


async def capped(body: AsyncIterator[bytes], limit: int, setting: str) -> AsyncIterator[bytes]:
    """`body`, or TooLarge at the first byte past `limit`."""
    size = 0
    async for chunk in body:
        size += len(chunk)
        if size > limit:
            raise TooLarge(limit, setting)
        yield chunk


def announced_length(request: AnyRequest) -> int | None:
    """Bytes of the body by its Content-Length, when that is what counts (RFC 9112 6.3)."""
    if values_of(request, "transfer-encoding"):
        return None
    length = only(request, "content-length")
    if length is None:
        return None
    if not (length.isascii() and length.isdigit()) or len(length) > 19:
        raise Malformed("Content-Length is not a number of bytes")
    return int(length)


def values_of(request: AnyRequest, name: str) -> Sequence[str]:
    """The values of a header, by its name in lower case, as often as it stands. From the list as it
    was sent: a request asks for seven, and making a mapping first takes longer.
    """
    wanted = name.encode()
    return [value.decode("latin-1") for sent, value in request.scope["headers"] if sent == wanted]


def only(request: AnyRequest, name: str) -> str | None:
    """The value of a header that may stand once; Malformed when it is repeated."""
    values = values_of(request, name)
    if len(values) > 1:
        raise Malformed(f"{name} is repeated")
    return values[0] if values else None


def closing(scope: Scope, status: int) -> Iterable[tuple[bytes, bytes]]:
    """Who is answered before the whole body came gets no second request on this connection. The
    server would have to read all the rest, only to throw it away, or to wait for it once more."""
    if scope["state"].get(_READ):
        return ()
    if status == HTTPStatus.REQUEST_TIMEOUT or _may_be_long(scope):
        return ((b"connection", b"close"),)
    return ()


def _may_be_long(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return True
        if name == b"content-length" and (not value.isdigit() or int(value) > DISCARDED):
            return True
    return False
