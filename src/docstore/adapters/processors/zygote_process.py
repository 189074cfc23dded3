"""The worker's end of the socket: starts a zygote, gives it orders, hears how they ended."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from msgspec import MsgspecError

from docstore.adapters.processors.protocol import (
    PACKET,
    End,
    Kill,
    Ready,
    Report,
    Run,
    Setup,
    Unfit,
    decode_report,
    encode,
)
from docstore.adapters.processors.walls import Walls
from docstore.domain.errors import Unavailable

START_SECONDS: Final = 60.0  # importing all parsers on a slow, busy machine
STOP_SECONDS: Final = 5.0

_ENVIRONMENT: Final[Mapping[str, str]] = {
    # No secrets, no settings. What is left keeps the address space of a child small on machines
    # with many cores, where a thread, and an arena, for each would break the limit at once.
    "MALLOC_ARENA_MAX": "2",
    "RAYON_NUM_THREADS": "1",
    "TOKIO_WORKER_THREADS": "1",
}
_BOOTSTRAP: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from docstore.adapters.processors.zygote import main; main(int(sys.argv[2]))"
)


class ZygoteFailed(Unavailable):
    """It cannot be started, or is gone."""


class ZygoteProcess:
    """A running zygote. Made by `start`; everything else on the event loop it was started on."""

    def __init__(self, process: subprocess.Popen[bytes], end: socket.socket, scratch: str) -> None:
        self._process = process
        self._socket = end
        self._scratch = scratch
        self._ready: asyncio.Future[Walls] = asyncio.get_running_loop().create_future()
        self._waiting: dict[int, asyncio.Future[End]] = {}
        self._last_id = 0
        self.is_alive = True
        self.walls = Walls()

    @classmethod
    async def start(cls, setup: Setup, folder: Path | None = None) -> Self:
        """`folder` is where it may keep files. Raises ZygoteFailed, with the reason."""
        zygote = cls(*await asyncio.to_thread(_spawn, folder))
        end = zygote._socket
        asyncio.get_running_loop().add_reader(end, zygote._hear)
        try:
            end.send(encode(setup))
            async with asyncio.timeout(START_SECONDS):
                zygote.walls = await zygote._ready
        except (OSError, TimeoutError) as error:
            await zygote.close()
            raise ZygoteFailed(f"no answer from the process of the parsers: {error}") from error
        except BaseException:
            await zygote.close()
            raise
        return zygote

    def submit(self, order: Run, descriptors: Sequence[int]) -> asyncio.Future[End]:
        """Hand an order over; what it returns ends with the child, or with ZygoteFailed."""
        ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        try:
            socket.send_fds(self._socket, [encode(order)], descriptors)
        except OSError as error:
            self._die(f"it takes no orders: {error}")
            raise ZygoteFailed(str(error)) from error
        self._waiting[order.id] = ended
        return ended

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def kill(self, id: int) -> None:
        """Have that child killed; its End comes as always."""
        if self.is_alive:
            try:
                self._socket.send(encode(Kill(id)))
            except OSError as error:
                self._die(f"it takes no orders: {error}")

    def terminate(self) -> None:
        """Kill it, and with it all its children, at once."""
        self._process.kill()
        self._die("it was killed by its worker")

    async def close(self) -> None:
        """End it and wait until its process is gone."""
        self._die("its worker is stopping")
        await asyncio.to_thread(_reap, self._process, self._scratch)

    def _hear(self) -> None:
        try:
            packet = self._socket.recv(PACKET)
            if not packet:
                self._die("its process ended")
                return
            self._take(decode_report(packet))
        except BlockingIOError:
            return
        except (OSError, MsgspecError) as error:
            self._die(f"it makes no sense: {error}")

    def _take(self, report: Report) -> None:
        match report:
            case Ready(walls) if not self._ready.done():
                self._ready.set_result(walls)
            case Unfit(reason):
                self._die(reason)
            case End():
                ended = self._waiting.pop(report.id, None)
                if ended is not None and not ended.done():
                    ended.set_result(report)

    def _die(self, reason: str) -> None:
        if not self.is_alive:
            return
        self.is_alive = False
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        waiting: list[asyncio.Future[Any]] = [self._ready, *self._waiting.values()]
        for each in waiting:
            if not each.done():
                each.set_exception(ZygoteFailed(reason))
                each.exception()  # seen: nobody may be waiting
        self._waiting.clear()


def _spawn(folder: Path | None) -> tuple[subprocess.Popen[bytes], socket.socket, str]:
    scratch = tempfile.mkdtemp(prefix="docstore-parsers-", dir=folder)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        # In a session of its own, so that a Ctrl-C at the terminal reaches the worker alone.
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOTSTRAP, json.dumps(_path()), str(theirs.fileno())],
            env={**_ENVIRONMENT, "TMPDIR": os.path.abspath(scratch)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    ours.setblocking(False)
    return process, ours, scratch


def _path() -> list[str]:
    """Where this process finds modules, but for the folder that it happens to stand in."""
    return [os.path.abspath(each) for each in sys.path if each]


def _reap(process: subprocess.Popen[bytes], scratch: str) -> None:
    """Its socket is closed, so it ends by itself; when it does not, it is made to."""
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(scratch, ignore_errors=True)  # a zygote that was killed could not
