"""Closing a connection whose client is still sending, so that it gets to read the answer."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

LINGER: Final = 2.0  # seconds that a client gets to read why it was cut short
MOST: Final = 64 * 1024  # bytes that are read meanwhile, only to be thrown away


class LingeringTransport(asyncio.Transport):
    """`transport`, but for `close`: closing a socket with unread input resets the connection, and
    a reset makes many clients forget the answer that they already have. So the answer is ended,
    little more is read, and the end comes when the client hangs up, or a little later.
    """

    def __init__(self, transport: asyncio.Transport, is_sending: Callable[[], bool]) -> None:
        super().__init__()
        self._transport = transport
        self._is_sending = is_sending
        self._timer: asyncio.TimerHandle | None = None
        self._discarded = 0

    def close(self) -> None:
        if self.is_closing():
            return
        if self._is_sending() and self._transport.can_write_eof():
            self._transport.write_eof()
            self._timer = asyncio.get_running_loop().call_later(LINGER, self._transport.close)
        else:
            self._transport.close()

    def is_closing(self) -> bool:
        return self._timer is not None or self._transport.is_closing()

    def discard(self, data: bytes) -> None:
        """Input that came after `close`."""
        self._discarded += len(data)
        if self._discarded > MOST and not self._transport.is_closing():
            self._transport.pause_reading()

    def close_now(self) -> None:
        """Without delay; also when the connection is gone by itself."""
        if self._timer is not None:
            self._timer.cancel()
        self._transport.close()

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        self._transport.write(data)

    def writelines(self, list_of_data: Iterable["bytes | bytearray | memoryview[Any]"]) -> None:
        self._transport.writelines(list_of_data)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self.is_closing():
            self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def abort(self) -> None:
        self._transport.abort()
