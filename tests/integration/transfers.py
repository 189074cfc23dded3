"""Large transfers, many at once, by clients that cost next to nothing; and what they cost."""

import json
import socket
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from integration.servers import Server

MIB: Final = 1024**2
AT_ONCE: Final = 20

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Line:
    """A client that costs next to nothing: the kernel moves the bytes."""

    server: Server
    token: str

    def put(self, path: Path, *, as_form: bool) -> str:
        """Upload a file; its id."""
        before, after, kind = b"", b"", "application/octet-stream"
        if as_form:
            field = f'Content-Disposition: form-data; name="file"; filename="{path.name}"'
            before, after = f"--cut\r\n{field}\r\n\r\n".encode(), b"\r\n--cut--\r\n"
            kind = "multipart/form-data; boundary=cut"
        length = len(before) + path.stat().st_size + len(after)
        target = "/upload" if as_form else f"/files?filename={path.name}"
        headers = (f"Content-Length: {length}", f"Content-Type: {kind}")
        with self._asked(f"POST {target}", *headers) as line, path.open("rb") as file:
            line.sendall(before)
            line.sendfile(file)
            line.sendall(after)
            answer = bytearray()
            while more := line.recv(MIB):
                answer += more
        return str(json.loads(answer.partition(b"\r\n\r\n")[2])["id"])

    def get(self, file_id: str) -> int:
        """Download a file; how many bytes came, with their head."""
        room, count = bytearray(MIB), 0
        with self._asked(f"GET /files/{file_id}/content") as line:
            while more := line.recv_into(room):
                count += more
        return count

    def _asked(self, what: str, *headers: str) -> socket.socket:
        host, port = self.server.url.removeprefix("http://").split(":")
        line = socket.create_connection((host, int(port)), timeout=60)
        lines = [f"{what} HTTP/1.1", "Host: x", f"Authorization: {self.token}", *headers]
        lines += ["Connection: close", "", ""]
        line.sendall("\r\n".join(lines).encode())
        return line


class Memory:
    """What the API and worker processes have resident, parsers apart, over what they had.

    The kernel keeps each one's peak, so nothing is missed between two looks. The peaks need not
    have come at the same time: their sum is no less than the peak of all.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._idle = {name: _status(pid, "VmRSS") for name, pid in pids.items()}
        for pid in pids.values():
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is what is resident now

    def peaks(self) -> Mapping[str, int]:
        """Bytes over idle, of each."""
        return {n: _status(pid, "VmHWM") - self._idle[n] for n, pid in self._pids.items()}


def warm_up(line: Line, path: Path, processes: int) -> None:
    """Each of the processes has loaded what it loads on demand: connections go to whichever is
    free, so a few at once reach all.
    """
    for _ in range(3):
        ids = at_once(lambda n: line.put(path, as_form=n % 2 == 0), range(2 * processes))
        at_once(line.get, ids)


def _status(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise KeyError(field)


def at_once(act: Callable[[A], B], what: Iterable[A]) -> list[B]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(act, what))
