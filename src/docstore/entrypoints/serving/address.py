"""Where the API listens, and whether it answers there."""

import asyncio
import ctypes
import os
import socket
import struct
from contextlib import suppress
from typing import Final

from docstore.settings import Settings

BACKLOG: Final = 2048  # connections that wait to be accepted
FIRST_ANSWER: Final = 60.0  # seconds that the API gets to start, on a slow and busy machine
_ATTEMPT: Final = 20.0
_PAUSE: Final = 0.05

_ATTACH_FILTER: Final = 26  # SO_ATTACH_FILTER, which Python does not name
_NO_BYTE_PASSES: Final = struct.pack("HBBI", 0x06, 0, 0, 0)
"""A filter of one instruction of classic BPF, `return 0`: the kernel drops what comes."""


class NoAnswer(Exception):
    """The API did not answer in time."""


class CannotListen(Exception):
    """The address is taken, not ours, or not allowed."""


def listen(settings: Settings) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises CannotListen."""
    host, port = settings.host, settings.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise CannotListen(f"DOCSTORE_HOST={host}: {error.strerror}") from error
    except OSError as error:
        reason = os.strerror(error.errno or 0)  # `strerror` repeats the address
        raise CannotListen(f"cannot listen on {host} port {port}: {reason}") from error


def url_of(listener: socket.socket, settings: Settings) -> str:
    """The API's address for people and clients, with its prefix."""
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{port}{settings.http_prefix}"


def stop_listening(listener: socket.socket) -> None:
    """Take no more connections, and lose none of those that wait to be accepted: the processes
    that share the socket still get them. Who comes now tries again within a second or so, by
    itself, and finds nobody there, or the next server.

    Just to close it would not do: the last one to do so would reset whatever waits by then.
    """
    with suppress(OSError, AttributeError):  # not on Linux
        program = ctypes.create_string_buffer(_NO_BYTE_PASSES)
        told = struct.pack("HL", 1, ctypes.addressof(program))
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, told)
    listener.close()


async def answering(listener: socket.socket, settings: Settings) -> None:
    """Until the API behind `listener` says that it serves; NoAnswer after a minute.

    What connects before the API is up waits in the backlog, so there is little to repeat.
    """
    address = listener.getsockname()[:2]
    try:
        async with asyncio.timeout(FIRST_ANSWER):
            while True:
                if await _answers(address, settings.http_prefix):
                    return
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise NoAnswer(f"the API does not answer after {FIRST_ANSWER:.0f} s") from None


async def _answers(address: tuple[str, int], prefix: str) -> bool:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_ATTEMPT):
            reader, writer = await asyncio.open_connection(*address)
            try:
                request = (
                    f"GET {prefix}/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                )
                writer.write(f"{request}\r\n".encode())
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
                await writer.wait_closed()
    return False
