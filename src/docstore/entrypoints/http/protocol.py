"""uvicorn's HTTP protocol with the limits that it lacks: on how many connections there are, and on
heads that are slow, long or ambiguous.

Bodies have theirs in `bodies`, answers in the kernel (TCP_USER_TIMEOUT, set by `server`).
"""

import asyncio
import re
import sys
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from httptools import HttpParserInvalidMethodError
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from docstore.entrypoints.http import crowding
from docstore.entrypoints.http.lingering import LingeringTransport

HEAD_SECONDS: Final = 20.0  # from the first byte of a request to the end of its head
LAST_CALL: Final = 0.5  # seconds that an idle connection stays open when the server stops
MAX_TARGET: Final = 64 * 1024  # bytes; a description may stand in the query
MAX_FIELDS: Final = 64 * 1024  # bytes of all header fields
MAX_HEAD: Final = MAX_TARGET + MAX_FIELDS
MAX_HEADERS: Final = 100
ALLOWED: Final = "GET, HEAD, POST, PATCH, DELETE, OPTIONS"  # by one route or another
_METHOD: Final = re.compile(rb"[A-Z]+ ")


class Refused(Exception):
    """A head that is not taken."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class LimitedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_size = 0
        self._refused: HTTPStatus | None = None
        self._is_last_call = False
        self._received = b""  # latest

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._lingering = LingeringTransport(transport, self._is_sending)
        super().connection_made(self._lingering)
        if (excess := len(self.connections) - crowding.most_connections()) > 0:
            self._turn_away(told=excess <= crowding.SPARE)
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lingering.close_now()
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            self._lingering.discard(data)
            return
        self._received = data
        super().data_received(data)
        if self.transport.is_closing() or not self._is_between_requests():
            return
        self._head_size += len(data)
        self._expect_head()
        if self._head_size > MAX_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def shutdown(self) -> None:
        """Answer the request that runs, or the one that is on its way already, and no more."""
        if self.transport.is_closing():
            self._lingering.close_now()
        elif not self._is_between_requests():
            super().shutdown()
        elif not self._is_last_call:
            self._is_last_call = True
            self.loop.call_later(LAST_CALL, self._close_if_idle)

    def on_headers_complete(self) -> None:
        self._stop_timer()
        self._head_size = 0
        try:
            check_method(self.parser.get_method())
            check_head(self.url, self.headers, self.parser.get_http_version())
        except Refused as refused:
            self._refused = refused.status
            raise
        super().on_headers_complete()
        if self._is_last_call:
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        """Called for what cannot be parsed, and for what `on_headers_complete` raises."""
        if self._is_between_requests() or self.cycle.more_body:
            self._refuse(self._refused or self._why())
        else:  # nonsense after a whole request must not cost that one its answer
            self.cycle.keep_alive = False

    def _why(self) -> HTTPStatus:
        """What the parser's complaint means: a method that it does not know is nonsense to it."""
        is_unknown = isinstance(sys.exception(), HttpParserInvalidMethodError)
        if is_unknown and _METHOD.match(self._received):
            return HTTPStatus.METHOD_NOT_ALLOWED
        return HTTPStatus.BAD_REQUEST

    def _refuse(self, status: HTTPStatus) -> None:
        self._refused = status
        if self._is_between_requests() or not self.cycle.response_started:
            self.transport.write(_refusal(status))
        self.transport.close()

    def _turn_away(self, *, told: bool) -> None:
        if not told:
            self.transport.abort()
            return
        self._refused = HTTPStatus.SERVICE_UNAVAILABLE
        state = getattr(self.config.app, "state", None)  # that of our application
        self.transport.write(crowding.refusal(getattr(state, "prefix", "")))
        self.transport.close()

    def _is_sending(self) -> bool:
        """Whether the client has more to send that nobody is going to read."""
        return self._refused is not None or (self.cycle is not None and self.cycle.more_body)

    def _close_if_idle(self) -> None:
        if self._is_between_requests():
            self.transport.close()

    def _is_between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _refusal(status: HTTPStatus) -> bytes:
    allow = f"allow: {ALLOWED}\r\n" if status is HTTPStatus.METHOD_NOT_ALLOWED else ""
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n{allow}content-type: text/plain\r\n"
        f"content-length: {len(status.phrase)}\r\nconnection: close\r\n\r\n"
    )
    return (head + status.phrase).encode()


def check_method(method: bytes) -> None:
    """Refuse what is said to proxies alone, and has no path that could answer it."""
    if method == b"CONNECT":
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED)


def check_head(target: bytes, headers: Sequence[tuple[bytes, bytes]], http_version: str) -> None:
    """Refuse a head that is too long, or that two readers could understand in two ways."""
    if len(target) > MAX_TARGET:
        raise Refused(HTTPStatus.REQUEST_URI_TOO_LONG)
    if len(headers) > MAX_HEADERS or sum([len(n) + len(v) for n, v in headers]) > MAX_FIELDS:
        raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    names = [name for name, _ in headers]
    hosts = names.count(b"host")
    if hosts > 1 or (hosts == 0 and http_version != "1.0"):
        raise Refused(HTTPStatus.BAD_REQUEST)  # RFC 9112 3.2
    if b"transfer-encoding" in names and b"content-length" in names:
        raise Refused(HTTPStatus.BAD_REQUEST)  # RFC 9112 6.1: the way to smuggle a request
