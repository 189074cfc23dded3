"""Where the API listens, and whether it answers there."""

import asyncio
import os
import socket
from contextlib import suppress
from typing import Final

from docstore.settings import Settings

BACKLOG: Final = 2048  # connections that wait to be accepted
FIRST_ANSWER: Final = 60.0  # seconds that the API gets to start, on a slow and busy machine
_ATTEMPT: Final = 20.0
_PAUSE: Final = 0.05


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


async def answering(listener: socket.socket, settings: Settings) -> None:
    """Until the API behind `listener` says that it serves; NoAnswer after a minute.

    What connects before the API is up waits in the backlog, so there is little to repeat.
    """
    try:
        async with asyncio.timeout(FIRST_ANSWER):
            while True:
                if await _answers(listener.getsockname()[:2], settings.http_prefix):
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
