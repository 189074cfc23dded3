"""Around the whole application: a trace for each request, the access log, and the metrics."""

import logging
from time import perf_counter
from typing import Final

from litestar.enums import ScopeType
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    Message,
    Receive,
    Scope,
    Send,
    WebSocketReceiveMessage,
)

from docstore.entrypoints.http.answers import defaults
from docstore.entrypoints.http.bodies import closing
from docstore.entrypoints.http.client_address import Networks
from docstore.entrypoints.http.exchange import (
    believe,
    client_in,
    method_of,
    stored_in,
    template_of,
    user_id_in,
)
from docstore.entrypoints.http.rate_limits import rate_limit
from docstore.entrypoints.metrics.meters import NO_METERS, Answered, Meters
from docstore.entrypoints.tracing import of_request, traced

log = logging.getLogger("docstore.access")

REQUEST_ID: Final = b"x-request-id"
CUT: Final = 499  # what stands for an answer that never began


class Watched:
    """An ASGI application around another."""

    def __init__(
        self, app: ASGIApp, meters: Meters, *, proxies: Networks = (), access_log: bool = False
    ) -> None:
        self._app = app
        self._meters = meters
        self._proxies = proxies
        self._access_log = access_log
        self._is_told = access_log or meters is not NO_METERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        believe(scope, self._proxies)
        with traced(of_request(scope["headers"])) as trace_id:
            traffic = _Traffic(scope, receive, send, trace_id)
            began = perf_counter()
            try:
                await self._app(scope, traffic.receive, traffic.send)
            finally:
                if self._is_told:
                    self._tell(scope, traffic, perf_counter() - began)

    def _tell(self, scope: Scope, traffic: "_Traffic", seconds: float) -> None:
        answered = Answered(
            method=method_of(scope),
            route=template_of(scope),
            status=traffic.status,
            seconds=seconds,
            received=traffic.received,
            sent=traffic.sent,
        )
        self._meters.answered(answered)
        if stored := stored_in(scope):
            self._meters.uploaded(len(stored), sum(file.size for file in stored))
        if self._access_log:
            _write(scope, answered)


def _write(scope: Scope, answered: Answered) -> None:
    log.info(
        "%s %s %d",
        answered.method,
        answered.route,
        answered.status,
        extra={
            "method": answered.method,
            "route": answered.route,
            "status": answered.status,
            "seconds": round(answered.seconds, 6),
            "received": answered.received,
            "sent": answered.sent,
            "user_id": user_id_in(scope),
            "client": client_in(scope),
            "unsampled": True,
        },
    )


class _Traffic:
    """The messages of one request, counted on their way. Every answer gets what all answers have;
    here, since Litestar's hooks for it are called at each message, twice as long in all.
    """

    __slots__ = ("_header", "_receive", "_scope", "_send", "received", "sent", "status")

    def __init__(self, scope: Scope, receive: Receive, send: Send, trace_id: str) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._header = (REQUEST_ID, trace_id.encode())
        self.status = CUT
        self.received = 0  # bytes of the body, as far as somebody asked for it
        self.sent = 0

    async def receive(self) -> HTTPReceiveMessage | WebSocketReceiveMessage:
        message = await self._receive()
        if message["type"] == "http.request":
            self.received += len(message["body"])
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = message["headers"]
            message["headers"] = [
                *headers,
                *defaults(headers),
                *closing(self._scope, self.status),
                *rate_limit(self._scope),
                self._header,
            ]
        elif message["type"] == "http.response.body":
            self.sent += len(message["body"])
        await self._send(message)
