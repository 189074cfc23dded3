"""Connections are taken one at a time, so that processes that share a socket share the work.

uvloop takes all that wait whenever it looks: of thirty clients that connect at once, whichever
process is free gets nearly all, for as long as they stay. Here whoever has taken one does the work
that it brings before he looks again; and who has more than others leaves the next one to them for
a moment.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from docstore.entrypoints.http.sharing import Share

PAUSE: Final = 0.1  # seconds without a look, when the system has no room for a connection
POLITE: Final = 0.001  # seconds that others get to take one; the loop's timers know nothing shorter


class Acceptor:
    """Of one listening socket, from now to `close`: what uvicorn needs of an asyncio.Server.

    `held` tells how many connections there are; `share`, who else takes some.
    """

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        share: Share | None = None,
        held: Callable[[], int] = lambda: 0,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._protocol = protocol
        self._share = share
        self._held = held
        self._beginning: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._look()

    def close(self) -> None:
        """Take no more; those that were taken go on. The socket is left to whoever made it."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener)

    async def wait_closed(self) -> None:
        """Until those that were taken last have begun."""
        if self._beginning:
            await asyncio.wait(self._beginning)

    def _look(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener, self._take)

    def _rest(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listener)
        self._pause = self._loop.call_later(seconds, then)

    def _take(self) -> None:
        if self._share is not None and self._share.is_ahead():
            self._rest(POLITE, self._take_what_is_left)
        else:
            self._accept()

    def _take_what_is_left(self) -> None:
        self._look()
        self._accept()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another process was faster, or the client gave up
        except OSError:  # no descriptor, no memory: it waits, or another process has some
            self._rest(PAUSE, self._look)
            return
        task = self._loop.create_task(self._begin(connection))
        self._beginning.add(task)
        task.add_done_callback(self._has_begun)
        self._tell()

    def _has_begun(self, task: asyncio.Task[None]) -> None:
        self._beginning.discard(task)
        self._tell()

    def _tell(self) -> None:
        if self._share is not None:
            self._share.tell(self._held() + len(self._beginning))

    async def _begin(self, connection: socket.socket) -> None:
        with suppress(OSError):  # it is gone already
            try:
                connection.setblocking(False)
                await self._loop.connect_accepted_socket(self._protocol, connection)
            except BaseException:
                connection.close()
                raise
