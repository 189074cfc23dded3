"""One child process, watched from the event loop's own thread: no other waits for it, so its exit
status is never lost, and a signal never hits a stranger that has its number by now.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_PROGRAM: Final = (sys.executable, "-P", "-m", "docstore.entrypoints.cli")
_LOOK: Final = 0.05  # seconds between looks where the kernel cannot tell by itself


@dataclass(frozen=True, slots=True)
class Start:
    """What one start of a child takes."""

    arguments: Sequence[str]  # of our own command line
    environment: Mapping[str, str] = field(default_factory=dict)  # beside this process's own
    descriptors: Sequence[int] = ()  # that it inherits


class Child:
    """A fresh interpreter, started on being made; raises OSError when that fails.

    In a process group of its own: Ctrl-C reaches the parent alone, which then asks it to stop.
    """

    def __init__(self, start: Start) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._process = subprocess.Popen(
            [*_PROGRAM, *start.arguments],
            env={**os.environ, **start.environment},
            pass_fds=start.descriptors,
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        self._watched: int | None = None
        if hasattr(os, "pidfd_open"):
            self._watched = os.pidfd_open(self._process.pid)
            self._loop.add_reader(self._watched, self._look)
        else:
            self._look()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._ended.is_set()

    async def wait(self) -> int:
        """Its exit status; that of one which a signal ended is negative."""
        await self._ended.wait()
        assert self._process.returncode is not None
        return self._process.returncode

    def send(self, what: signal.Signals) -> None:
        """Nothing happens when it has ended."""
        self._process.send_signal(what)

    def _look(self) -> None:
        if self._process.poll() is None:
            if self._watched is None:
                self._loop.call_later(_LOOK, self._look)
            return
        if self._watched is not None:
            self._loop.remove_reader(self._watched)
            os.close(self._watched)
        self._ended.set()
