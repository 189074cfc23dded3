"""What a server costs, with all its children: read from /proc."""

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Final, Self

TICK: Final = os.sysconf("SC_CLK_TCK")  # a second
QUIET: Final = 0.03  # CPU-s in LOOK seconds that a server at rest may use
LOOK: Final = 0.25  # seconds

_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process, and of its children that have ended."""

    pid: int
    parent: int
    cpu: float  # seconds


def tree(*roots: int) -> list[Usage]:
    """Those processes and all that descend from them."""
    found = {usage.pid: usage for usage in _all()}
    members = {*roots}
    while more := {u.pid for u in found.values() if u.parent in members} - members:
        members |= more
    return [found[pid] for pid in members if pid in found]


def cpu_seconds(*roots: int) -> float:
    return sum(usage.cpu for usage in tree(*roots))


def busy_seconds() -> float:
    """CPU-s that all of the machine has used so far, and those that its host took away."""
    user, nice, system, _, _, irq, softirq, steal, *_ = map(
        int, (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq + steal) / TICK


def settle(*roots: int, limit: float = 120.0) -> bool:
    """Wait until the server rests; False when it does not within `limit` seconds."""
    until = time.monotonic() + limit
    before = cpu_seconds(*roots)
    while time.monotonic() < until:
        time.sleep(LOOK)
        now = cpu_seconds(*roots)
        if now - before < QUIET:
            return True
        before = now
    return False


def with_words(root: int, words: Iterable[str]) -> list[int]:
    """The processes below `root` whose command line has one of `words` in it."""
    wanted = set(words)
    return [usage.pid for usage in tree(root) if wanted & set(_command_line(usage.pid))]


def forget_peaks(pids: Iterable[int]) -> None:
    for pid in pids:
        (_PROC / str(pid) / "clear_refs").write_text("5")


def resident(pids: Iterable[int], *, peak: bool = False) -> float:
    """MiB that are in memory now, or were at most; summed, though peaks come at different times."""
    field = re.compile(rf"^{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB", re.MULTILINE)
    found = [field.search((_PROC / str(pid) / "status").read_text()) for pid in pids]
    return sum(int(match[1]) for match in found if match) / 1024


class MemoryWatch:
    """How much memory a server takes with all its children, at most; a page that several of them
    share counts once (PSS, proc_pid_smaps(5)). A context manager, which looks while it is open.
    """

    def __init__(self, root: int) -> None:
        self.peak = 0.0  # MiB
        self._root = root
        self._done = Event()
        self._thread = Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(LOOK):
            now = sum(_proportional(usage.pid) for usage in tree(self._root))
            self.peak = max(self.peak, now)


def _proportional(pid: int) -> float:
    """MiB; 0 once the process is gone."""
    with suppress(OSError):
        rollup = (_PROC / str(pid) / "smaps_rollup").read_text()
        if found := re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE):
            return int(found[1]) / 1024
    return 0.0


def _all() -> Iterator[Usage]:
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it has ended meanwhile
                yield _usage(int(folder.name), (folder / "stat").read_text())


def _usage(pid: int, stat: str) -> Usage:
    # Field 2 is a name that may hold anything; the rest counts from behind it.
    fields = stat[stat.rindex(")") + 2 :].split()
    return Usage(pid, int(fields[1]), sum(map(int, fields[11:15])) / TICK)


def _command_line(pid: int) -> list[str]:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
