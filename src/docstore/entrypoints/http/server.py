"""The HTTP API on a socket, until it is told to stop."""

import asyncio
import signal
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from math import ceil
from typing import Final

import uvicorn

from docstore.container import Container
from docstore.entrypoints.http.app import create_app
from docstore.entrypoints.http.protocol import LimitedProtocol
from docstore.entrypoints.metrics.meters import NO_METERS, Meters
from docstore.settings import Settings

KEEP_ALIVE: Final = 30  # seconds that a connection may rest between two requests
UNREAD: Final = 60_000  # milliseconds that sent bytes may wait for a client to take them
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


async def serve_http(
    container: Container, listener: socket.socket, meters: Meters = NO_METERS
) -> None:
    """Serve on a bound socket; returns after SIGTERM or SIGINT, once what ran has finished or
    DOCSTORE_DRAIN_TIMEOUT is over."""
    settings: Settings = container.settings()
    _give_up_on_silent_readers(listener)
    config = uvicorn.Config(
        create_app(container, meters),
        http=LimitedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,  # whoever starts the process decides
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=ceil(settings.drain_timeout),
    )
    await _Server(config).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """Returns when it is told to stop; uvicorn itself would die of the signal after all."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)


def _give_up_on_silent_readers(listener: socket.socket) -> None:
    # Connections inherit it. ASGI has no way to cut a client that takes no more of an answer.
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and listener.family in (socket.AF_INET, socket.AF_INET6):
        listener.setsockopt(socket.IPPROTO_TCP, option, UNREAD)
