"""The HTTP API on a socket, until it is told to stop."""

import asyncio
import signal
import socket
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from math import ceil
from typing import Final

import uvicorn

from docstore.container import Container
from docstore.entrypoints.http.accepting import Acceptor
from docstore.entrypoints.http.app import Alongside, create_app
from docstore.entrypoints.http.protocol import LimitedProtocol
from docstore.entrypoints.http.sharing import Share, Tally
from docstore.entrypoints.metrics.meters import NO_METERS, Meters
from docstore.settings import Settings

KEEP_ALIVE: Final = 30  # seconds that a connection may rest between two requests
UNREAD: Final = 60_000  # milliseconds that sent bytes may wait for a client to take them
LATE: Final = 0.05  # seconds after which a connection that was accepted is made
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


async def serve_http(
    container: Container,
    listener: socket.socket,
    meters: Meters = NO_METERS,
    alongside: Alongside = lambda _: nullcontext(),
    share: Share | None = None,
) -> None:
    """Serve on a bound socket, maybe with others; returns after SIGTERM or SIGINT, once what ran
    has finished or DOCSTORE_DRAIN_TIMEOUT is over."""
    _give_up_on_silent_readers(listener)
    await _Server(_config(container, meters, alongside), share).serve(sockets=[listener])


@asynccontextmanager
async def served(container: Container, listener: socket.socket) -> AsyncIterator[None]:
    """While inside, serve on a bound socket, inside a process that does other things."""
    server = _Server(_config(container, NO_METERS, lambda _: nullcontext()), heeds_signals=False)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _config(container: Container, meters: Meters, alongside: Alongside) -> uvicorn.Config:
    settings: Settings = container.settings()
    return uvicorn.Config(
        create_app(container, meters, alongside),
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


class _Server(uvicorn.Server):
    """Returns when it is told to stop; uvicorn itself would die of the signal after all."""

    def __init__(
        self, config: uvicorn.Config, share: Share | None = None, *, heeds_signals: bool = True
    ) -> None:
        super().__init__(config)
        self._share = share
        if share is not None:
            self.server_state.connections = Tally(share)
        self._heeds_signals = heeds_signals and in_main_thread()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        # It asks no more of a server than to be closed.
        taking = [Acceptor(each, self._protocol, self._share, self._held) for each in sockets or ()]
        self.servers += taking  # type: ignore[arg-type]

    def _held(self) -> int:
        return len(self.server_state.connections)

    def _protocol(self) -> LimitedProtocol:
        return LimitedProtocol(self.config, self.server_state, self.lifespan.state)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        latecomers = asyncio.get_running_loop().call_later(LATE, self._tell_all)
        try:
            await super().shutdown(sockets)
        finally:
            latecomers.cancel()

    def _tell_all(self) -> None:
        """Also those who were accepted in the last moment."""
        for connection in list(self.server_state.connections):
            connection.shutdown()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if not self._heeds_signals:
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


def in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _give_up_on_silent_readers(listener: socket.socket) -> None:
    # Connections inherit it. ASGI has no way to cut a client that takes no more of an answer.
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and listener.family in (socket.AF_INET, socket.AF_INET6):
        listener.setsockopt(socket.IPPROTO_TCP, option, UNREAD)
