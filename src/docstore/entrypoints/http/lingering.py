"""A connection's way out: heads wait for bodies, and an end waits for the client to read it."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

LINGER: Final = 2.0  # seconds that a client gets to read why it was cut short
MOST: Final = 64 * 1024  # bytes that are read meanwhile, only to be thrown away
HELD: Final = 8 * 1024  # bytes: a head is hardly longer


class LingeringTransport(asyncio.Transport):
    """`transport`, but for `write` and `close`.

    uvicorn writes the head of an answer, then its body. Each write is a call to the kernel and a
    packet, and wakes the client: a fifth of the time of a small answer. So the head is held until
    the body comes, at most until the loop's next turn.

    Closing a socket with unread input resets the connection, and
    a reset makes many clients forget the answer that they already have. So the answer is ended,
    little more is read, and the end comes when the client hangs up, or a little later.
    """

    def __init__(self, transport: asyncio.Transport, is_sending: Callable[[], bool]) -> None:
        super().__init__()
        self._transport = transport
        self._is_sending = is_sending
        self._timer: asyncio.TimerHandle | None = None
        self._discarded = 0
        self._held: bytes | bytearray | memoryview[Any] = b""

    def close(self) -> None:
        if self.is_closing():
            return
        self._release()
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
        self._release()
        self._transport.close()

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        if self._timer is not None:
            return  # an application may not know yet that its client was refused
        if self._held:
            held, self._held = self._held, b""
            self._transport.writelines((held, data))
        elif data and len(data) <= HELD and not self.is_closing():
            self._held = data
            asyncio.get_running_loop().call_soon(self._release)
        else:
            self._transport.write(data)

    def writelines(self, list_of_data: Iterable["bytes | bytearray | memoryview[Any]"]) -> None:
        if self._timer is None:
            self._release()
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

    def _release(self) -> None:
        held, self._held = self._held, b""
        if held:
            self._transport.write(held)
