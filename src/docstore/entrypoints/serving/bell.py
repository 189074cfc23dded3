"""A line between the API processes and the worker, so that work need not wait to be looked for.

One byte to the worker: look for due jobs now. One byte back: the worker is up. Nothing depends
on a byte arriving; who misses one looks at its next turn.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

_BYTE: Final = b"\n"
_MOST: Final = 4096  # bytes taken at once


def pair() -> tuple[socket.socket, socket.socket]:
    """The end of the API processes, and the worker's."""
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    return ends


def ringer(end: socket.socket) -> Callable[[], None]:
    """Rings at the other end, once for all who ring in the same turn of the loop; never waits,
    never fails.
    """
    is_due = False

    def ring() -> None:
        nonlocal is_due
        if not is_due:
            is_due = True
            asyncio.get_running_loop().call_soon(send)

    def send() -> None:
        nonlocal is_due
        is_due = False
        with suppress(OSError):  # full: it is ringing already; gone: nobody to wake
            end.send(_BYTE)

    return ring


@contextmanager
def listening(end: socket.socket, answer: Callable[[], None]) -> Iterator[None]:
    """While inside, `answer` is called on the running loop when the other end rings."""
    loop = asyncio.get_running_loop()

    def hear() -> None:
        try:
            heard = end.recv(_MOST)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if heard:
            answer()
        else:
            loop.remove_reader(end)

    loop.add_reader(end, hear)
    try:
        yield
    finally:
        loop.remove_reader(end)
