"""The data directory: private to its owner, and held by one `serve` at a time."""

import fcntl
import json
import logging
import os
import secrets
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

LOCK: Final = "serve.lock"
_SHARED: Final = stat.S_IRWXG | stat.S_IRWXO
_MOST: Final = 4096  # bytes of a lock file that are read

ORPHAN_SECONDS: Final = 10.0
"""How long the children of a killed `serve` get to be gone; the kernel takes milliseconds."""
_PAUSE: Final = 0.02


class Held(Exception):
    """Another `serve` holds the data directory."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A held data directory. The lock lasts until every process that has `descriptor` is gone, so
    nobody starts beside the orphans of a `serve` that was killed.
    """

    descriptor: int
    instance: str  # of this `serve`; its workers' names begin with it
    dead: Sequence[str]  # instances before it that may still hold leases

    def forget_dead(self) -> None:
        """The leases of the dead are released."""
        _write(self.descriptor, _Note(os.getpid(), self.instance, ()))


def make_private(folder: Path) -> None:
    """Make `folder`, open to its owner alone. One that is there is closed to others when it is
    empty or docstore's already; any other is left as it is, with a warning.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & _SHARED:
        return
    names = os.listdir(folder)
    if not names or LOCK in names:
        folder.chmod(0o700)
    else:
        log.warning("%s is open to others (mode %04o): chmod 700 it", folder, mode)


@contextmanager
def held(folder: Path) -> Iterator[Hold]:
    """Hold `folder` while inside, or raise Held."""
    with _locked(folder) as descriptor:
        before = _read(descriptor)
        dead = (*before.dead, before.instance) if before else ()
        instance = secrets.token_hex(8)
        _write(descriptor, _Note(os.getpid(), instance, dead))
        yield Hold(descriptor, instance, dead)


@contextmanager
def unserved(folder: Path) -> Iterator[None]:
    """Keep every `serve` out of `folder` while inside, or raise Held when there is one."""
    with _locked(folder):
        yield


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(folder / LOCK, flags, 0o600)
    try:
        _lock(descriptor, folder)
        yield descriptor
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Note:
    """What stands in the lock file: who holds it, and whose leases are still to be released."""

    pid: int
    instance: str
    dead: Sequence[str]


def _lock(descriptor: int, folder: Path) -> None:
    """At once, or refused; but the orphans of a killed `serve` are waited for."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        holder = _read(descriptor)
        if holder is None or _is_alive(holder.pid) or time.monotonic() > deadline:
            by = f" (process {holder.pid})" if holder else ""
            raise Held(f"{folder} is held by another docstore serve{by}")
        time.sleep(_PAUSE)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()  # a container gives each `serve` the same one


def _read(descriptor: int) -> _Note | None:
    """The note; None for an empty file, or one that a crash left half written."""
    try:
        line = os.pread(descriptor, _MOST, 0).split(b"\n")[0]
        note = json.loads(line)
        return _Note(int(note["pid"]), str(note["instance"]), tuple(map(str, note["dead"])))
    except (ValueError, TypeError, KeyError):
        return None


def _write(descriptor: int, note: _Note) -> None:
    data = {"pid": note.pid, "instance": note.instance, "dead": list(note.dead[-32:])}
    line = json.dumps(data).encode() + b"\n"
    os.pwrite(descriptor, line, 0)
    os.ftruncate(descriptor, len(line))
