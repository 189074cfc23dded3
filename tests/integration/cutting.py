"""A line between a client and a server that breaks when it is told to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

PIECE: Final = 16 * 1024


@dataclass
class Line:
    """Forwards every connection to `port`; what goes over it is kept, the answers not."""

    port: int
    requests: list[bytes] = field(default_factory=list)  # one for each connection
    stall_after: int | None = None  # bytes of an answer, after which it is silent for ever
    cut_answers: int = 0  # connections that end instead of giving an answer to a POST
    reached: threading.Event = field(default_factory=threading.Event)  # it stalled, or cut

    def carry(self, client: socket.socket) -> None:
        """One connection, to its end; none where nobody listens."""
        with client, suppress(ConnectionRefusedError), self._server() as server:
            self.requests.append(b"")
            there = threading.Thread(target=self._there, args=(client, server), daemon=True)
            there.start()
            with suppress(OSError):
                self._back(client, server)
            for each in (client, server):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            there.join()

    def _server(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port))

    def _there(self, client: socket.socket, server: socket.socket) -> None:
        mine = len(self.requests) - 1
        with suppress(OSError):
            while piece := client.recv(PIECE):
                self.requests[mine] += piece
                server.sendall(piece)
            server.shutdown(socket.SHUT_WR)

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        gone = 0
        while piece := server.recv(PIECE):
            if self.cut_answers and self.requests[-1].startswith(b"POST"):
                self.cut_answers -= 1
                self.reached.set()
                return
            client.sendall(piece)
            gone += len(piece)
            if self.stall_after is not None and gone >= self.stall_after:
                self.reached.set()
                while client.recv(PIECE):  # until it is gone
                    pass
                return


@contextmanager
def line(port: int) -> Iterator[tuple[Line, str]]:
    """A line to a server on this machine, and its own address."""
    listener = socket.create_server(("127.0.0.1", 0))
    carried = Line(port)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=carried.carry, args=(client,), daemon=True).start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield carried, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
