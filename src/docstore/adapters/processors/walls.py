"""Which walls of the kernel stand around a parser here: tried, never guessed from versions."""

import errno
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import Final

from msgspec import Struct

from docstore.adapters.processors import landlock, seccomp
from docstore.adapters.processors.kernel import prctl

_PR_SET_NO_NEW_PRIVS: Final = 38
_STOPS_NOTHING: Final = 255
"""Exit status of a trial whose wall went up and was no wall; any other is an errno."""


class Level(IntEnum):
    """How much a parser is kept from, each with all below it."""

    LIMITS = 1  # time, memory, output; what it starts is killed with it
    CALLS = 2  # seccomp: no file, no network, no process
    FILES = 3  # Landlock: a second wall around files, should the first have a gap


class Walls(Struct, frozen=True):
    """What is put up in every child."""

    landlock: int = 0  # the ABI, 0: none
    seccomp: bool = False
    missing: Sequence[str] = ()  # and why

    @property
    def level(self) -> Level:
        if not self.seccomp:
            return Level.LIMITS
        return Level.FILES if self.landlock else Level.CALLS

    def __str__(self) -> str:
        standing = [f"Landlock (ABI {self.landlock})"] if self.landlock else []
        standing += ["seccomp"] if self.seccomp else []
        told = "; ".join([", ".join([*standing, "limits"]), *self.missing])
        return f"level {self.level.value}: {told}"


def put_up(walls: Walls) -> None:
    """In this process, for ever. Last of all that it does before it looks at a file."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if walls.landlock:
        landlock.deny_all(walls.landlock)
    if walls.seccomp and (machine := seccomp.machine()):
        seccomp.allow_little(machine)


def best(highest: Level) -> Walls:
    """All that hold here, up to a level. Each is tried in a child that is thrown away."""
    if highest is Level.LIMITS:
        return Walls(missing=["nothing else was asked for"])
    no_calls = _no_seccomp()
    if highest is Level.CALLS:
        missing = ["no Landlock was asked for", *_told("seccomp", no_calls)]
        return Walls(seccomp=not no_calls, missing=missing)
    abi = landlock.abi()
    no_files = _no_landlock(abi)
    missing = [*_told("Landlock", no_files), *_told("seccomp", no_calls)]
    if 0 < abi < landlock.COMPLETE:
        missing.append(f"Landlock lacks what came with ABI {landlock.COMPLETE}")
    return Walls(landlock=0 if no_files else abi, seccomp=not no_calls, missing=missing)


def _told(wall: str, reason: str) -> Iterator[str]:
    if reason:
        yield f"no {wall}: {reason}"


def _no_landlock(abi: int) -> str:
    """Why there is no such wall here; empty when there is. So are all below."""
    if not abi:
        return "the kernel was built or started without it"
    return _trouble(Walls(landlock=abi), _open_a_folder)


def _no_seccomp() -> str:
    if seccomp.machine() is None:
        return f"the system calls of {os.uname().machine} are not known"
    return _trouble(Walls(seccomp=True), _open_a_socket)


def _trouble(walls: Walls, breach: Callable[[], object]) -> str:
    pid = os.fork()
    if pid == 0:
        os._exit(_tried(walls, breach))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == 0:
        return ""
    if status == _STOPS_NOTHING:
        return "it stops nothing here"
    return os.strerror(status) if status > 0 else f"its trial died of signal {-status}"


def _tried(walls: Walls, breach: Callable[[], object]) -> int:
    """Runs in the child, which must not come back."""
    try:
        put_up(walls)
    except BaseException as error:
        number = error.errno if isinstance(error, OSError) else None
        return number or errno.EIO
    try:
        breach()
    except PermissionError:
        return 0
    except BaseException:
        return errno.EIO
    return _STOPS_NOTHING


def _open_a_folder() -> None:
    os.open("/", os.O_RDONLY)


def _open_a_socket() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
