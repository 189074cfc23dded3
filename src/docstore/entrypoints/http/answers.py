"""Answers, and the headers that every one of them carries."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import msgspec
from litestar.types import Receive, Scope, Send
from pydantic import BaseModel

JSON: Final = "application/json"

Headers: TypeAlias = list[tuple[bytes, bytes]]

DEFAULTS: Final[Mapping[bytes, bytes]] = {
    b"cache-control": b"private, no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}
"""On every answer that does not say otherwise, so that forgetting one is safe."""
_DEFAULTS: Final = tuple(DEFAULTS.items())


class Answer:
    """A whole answer from memory, as an ASGI application: its body goes to everything but HEAD."""

    __slots__ = ("_encoded", "body", "headers", "status")

    def __init__(
        self,
        body: bytes = b"",
        *,
        status: int = 200,
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        if body:
            self.headers["content-type"] = media_type
        if status != 204:
            self.headers["content-length"] = str(len(body))
        self._encoded: Headers | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._encoded is None:  # an answer may be given again
            self._encoded = _encoded(self.headers)
        headers = [*self._encoded]  # of this request: on the way out others add to them
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        body = b"" if scope.get("method") == "HEAD" else self.body
        await send({"type": "http.response.body", "body": body, "more_body": False})


def shown(
    view: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """The JSON of a view."""
    return Answer(view.model_dump_json(by_alias=True).encode(), status=status, headers=headers)


def told(
    fields: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """The JSON of values as the domain has them: ids, times and enumerations among them. For what
    is asked for often; the fields are those of a view, which nobody makes.
    """
    return Answer(_ENCODER.encode(fields), status=status, headers=headers)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value)} is nothing that JSON knows")


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_plain)


async def send_head(send: Send, status: int, headers: Mapping[str, str]) -> None:
    """The status line and the headers of an answer."""
    await send({"type": "http.response.start", "status": status, "headers": _encoded(headers)})


def _encoded(headers: Mapping[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]


def defaults(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    """What DEFAULTS says, where the `headers` of an answer say nothing."""
    said = {name.lower() for name, _ in headers}
    return [header for header in _DEFAULTS if header[0] not in said]
