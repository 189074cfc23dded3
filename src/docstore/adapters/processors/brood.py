"""The zygote's living children: their deadlines, their memory, their ends."""

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from docstore.adapters.processors.protocol import Bounds, Cause, End

TICK: Final = 0.05
"""Seconds between looks at the children's memory: what one can take in between, it may keep."""
STRAY_ROUNDS: Final = 100
"""How long one look chases processes that fork as fast as they are killed; the next goes on."""

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class _Child:
    id: int
    pid: int
    pidfd: int  # readable once it has ended
    memory: int  # bytes it may have resident
    deadline: float
    cause: Cause = Cause.ITSELF


class Brood:
    """Watches children until each has ended, and tells `report` how. One thread only."""

    def __init__(self, report: Callable[[End], None]) -> None:
        self._report = report
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in list(self._children.values()):
            _kill_group(each.pid)
            os.waitpid(each.pid, 0)
        self._kill_strays()
        self._selector.close()

    def add(self, id: int, pid: int, bounds: Bounds) -> None:
        """Watch one that was just forked."""
        deadline = time.monotonic() + bounds.seconds
        each = _Child(id, pid, os.pidfd_open(pid), bounds.memory, deadline)
        self._children[id] = each
        self._selector.register(each.pidfd, selectors.EVENT_READ, each)

    def kill(self, id: int, cause: Cause) -> None:
        """End it and all in its process group, unless it has ended; the End follows."""
        each = self._children.get(id)
        if each is not None and each.cause is Cause.ITSELF:
            each.cause = cause
            _kill_group(each.pid)

    def watch_until(self, worker: socket.socket) -> None:
        """Look after the children until `worker` has something to read."""
        if worker not in self._selector.get_map():
            self._selector.register(worker, selectors.EVENT_READ)
        while True:
            ready = self._selector.select(TICK if self._children else None)
            for key, _ in ready:
                if isinstance(key.data, _Child):
                    self._bury(key.data)
            self._enforce()
            if any(key.fileobj is worker for key, _ in ready):
                return

    def _enforce(self) -> None:
        self._kill_strays()
        now = time.monotonic()
        for each in self._children.values():
            if now > each.deadline:
                self.kill(each.id, Cause.TIME)
            elif _resident(each.pid) > each.memory:
                self.kill(each.id, Cause.MEMORY)

    def _bury(self, each: _Child) -> None:
        _kill_group(each.pid)  # what it forked; its own id stays taken until the wait
        _, status = os.waitpid(each.pid, 0)
        self._selector.unregister(each.pidfd)
        os.close(each.pidfd)
        del self._children[each.id]
        self._kill_strays()
        self._report(End(each.id, each.cause, status))

    def _kill_strays(self) -> None:
        """A process that left its group with setsid became ours when its parent ended.

        Round by round, since a killed one's own children become ours in turn.
        """
        ours = {each.pid for each in self._children.values()}
        for _ in range(STRAY_ROUNDS):
            strays = _children_of_this_process() - ours
            for pid in strays:
                _kill_group(pid)
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)
            if not strays:
                return


def _kill_group(leader: int) -> None:
    for kill in (os.killpg, os.kill):  # it may not have come to its setsid yet
        with suppress(ProcessLookupError):
            kill(leader, signal.SIGKILL)


def _resident(pid: int) -> int:
    """Bytes of memory that the process holds; 0 once it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def _children_of_this_process() -> set[int]:
    pid = os.getpid()
    try:
        with open(f"/proc/self/task/{pid}/children", "rb") as file:
            return {int(each) for each in file.read().split()}
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return set()
