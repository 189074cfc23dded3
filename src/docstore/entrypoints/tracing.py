"""One id for all that happens because of one request or one attempt at a job."""

import os
import re
from collections.abc import Iterable
from contextvars import ContextVar
from random import Random
from typing import Final
from uuid import UUID

_TRACE: Final[ContextVar[str]] = ContextVar("docstore_trace", default="")

# W3C Trace Context: version, trace id, parent id, flags; later versions may append fields.
_TRACEPARENT: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[!-~]{0,256})?"
)
_HEX: Final = re.compile(rb"[0-9a-f]{32}")
_UUID: Final = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NONE: Final = "0" * 32

# Nothing is secret about an id, so the operating system is not asked for each. A generator of our
# own, since a program that docstore is part of may rely on the numbers of the common one.
_IDS: Final = Random()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_IDS.seed)


def current() -> str:
    """The id of what is going on, 32 hexadecimal digits; empty outside of requests and jobs."""
    return _TRACE.get()


class traced:
    """Inside, and in every task started there, `current` is `trace_id`, or a new one.

    Entered by every request: a generator would take three times as long.
    """

    __slots__ = ("_token", "_trace_id")

    def __init__(self, trace_id: str = "") -> None:
        self._trace_id = trace_id or made()

    def __enter__(self) -> str:
        self._token = _TRACE.set(self._trace_id)
        return self._trace_id

    def __exit__(self, *_: object) -> None:
        _TRACE.reset(self._token)


def made() -> str:
    """A new id."""
    return f"{_IDS.getrandbits(128):032x}"


def of_request(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The id that a client or a proxy gave to a request, or a new one.

    Only ids in a form that nothing else has are taken over: a valid `traceparent`, or an
    `X-Request-ID` that is a UUID or 32 hexadecimal digits. Whatever else stands there could be
    anything, a password too, and would come to stand in the log.
    """
    parents = []
    requests = []
    for name, value in headers:
        if name == b"traceparent":
            parents.append(value)
        elif name == b"x-request-id":
            requests.append(value)
    return _from_parent(parents) or _from_request_id(requests) or made()


def _from_parent(values: list[bytes]) -> str:
    match = _TRACEPARENT.fullmatch(values[0]) if len(values) == 1 else None
    if match is None or not int(match[2], 16) or (values[0][:2] == b"00" and match[3]):
        return ""
    return _known(match[1])


def _from_request_id(values: list[bytes]) -> str:
    value = values[0].lower() if len(values) == 1 and len(values[0]) <= 36 else b""
    if _HEX.fullmatch(value):
        return _known(value)
    return _known(UUID(value.decode()).hex.encode()) if _UUID.fullmatch(value) else ""


def _known(value: bytes) -> str:
    text = value.decode()
    return "" if text == _NONE else text
