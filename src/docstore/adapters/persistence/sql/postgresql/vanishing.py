"""A server that is gone without a word: its machine lost power, or the network drops packets."""

import math
import socket
from asyncio import BaseTransport
from typing import Any, Final

import asyncpg

_INTERNET: Final = (socket.AF_INET, socket.AF_INET6)
_INTERVAL: Final = 1  # seconds between questions whether the other end is there


def watched(seconds: float) -> type[Any]:
    """A class of connections that break after about that time without a sign of life from the
    other machine, as if it had hung up. TCP itself would go on for a quarter of an hour. A server
    that is there and takes its time for an answer gives such signs.
    """

    class Watched(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
        def __init__(self, protocol: Any, transport: BaseTransport, *rest: Any) -> None:
            super().__init__(protocol, transport, *rest)
            _watch(transport.get_extra_info("socket"), seconds)

    return Watched


def _watch(line: socket.socket, seconds: float) -> None:
    if line.family not in _INTERNET:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {
        "TCP_KEEPIDLE": math.ceil(seconds),
        "TCP_KEEPINTVL": _INTERVAL,
        "TCP_USER_TIMEOUT": math.ceil(seconds * 1000),
    }
    for name, value in options.items():
        if (option := getattr(socket, name, None)) is not None:  # not every system has all
            line.setsockopt(socket.IPPROTO_TCP, option, value)
