"""HTTP/1.1 on a raw socket, with as little work as a client can do: it shares the cores with what
it measures. Files leave by sendfile; the bodies of long answers are dropped in the kernel."""

import os
import re
import socket
from collections.abc import Generator
from selectors import EVENT_READ, EVENT_WRITE
from typing import Final, TypeAlias

Wait: TypeAlias = Generator[int, None, None]
"""Yields the event to wait for."""

FIRST_READ: Final = 64 * 1024  # bytes; a head, and all of a small answer
ROOM: Final = 1024 * 1024  # bytes of a long answer that are taken at once

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LOCATION: Final = re.compile(rb"\r\nlocation: *(\S+)", re.IGNORECASE)
_CLOSES: Final = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class Broken(Exception):
    """The connection is of no use any more."""


class Connection:
    """One request at a time. The last answer stands in `status`, `location` and `received`."""

    def __init__(self, address: tuple[str, int], room: memoryview) -> None:
        self._address = address
        self._room = room
        self.received = 0  # bytes of bodies
        self.status = 0
        self.location: str | None = None
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(self._address, timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.is_open = True

    def close(self) -> None:
        self.socket.close()
        self.is_open = False

    def send(self, data: bytes) -> Wait:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self.socket.send(rest) :]
            except BlockingIOError:
                yield EVENT_WRITE

    def send_file(self, source: int, size: int) -> Wait:
        offset = 0
        while offset < size:
            try:
                offset += os.sendfile(self.socket.fileno(), source, offset, size - offset)
            except BlockingIOError:
                yield EVENT_WRITE

    def receive(self) -> Wait:
        """An answer to its end; Broken when it ends too early, or has no announced length."""
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0:
            yield EVENT_READ
            got += self._room[: self._take(FIRST_READ, 0)]
        self.status = int(got[9:12])
        found = _LOCATION.search(got, 0, end)
        self.location = found[1].decode() if found else None
        length = _length(got, end, self.status)
        yield from self._drop(length - (len(got) - end - 4))
        self.received += length
        if _CLOSES.search(got, 0, end):
            self.close()

    def _drop(self, left: int) -> Wait:
        while left > 0:
            try:
                left -= self._take(min(left, ROOM), socket.MSG_TRUNC)
            except BlockingIOError:
                yield EVENT_READ

    def _take(self, most: int, flags: int) -> int:
        count = self.socket.recv_into(self._room, most, flags)
        if not count:
            raise Broken("the server hung up")
        return count


def _length(got: bytes, end: int, status: int) -> int:
    found = _LENGTH.search(got, 0, end)
    if found:
        return int(found[1])
    if status in (204, 304):
        return 0
    raise Broken("an answer without a length")
