"""What a child gives up for ever before it looks at a file: the jail's walls, innermost last.

The kernel holds it to them whatever the parser does. Landlock and seccomp come at the end, after
everything else that they would forbid.
"""

import os
import resource
import signal
from collections.abc import Sequence
from contextlib import suppress
from fcntl import F_DUPFD_CLOEXEC, fcntl
from math import ceil
from typing import Final

from docstore.adapters.processors.kernel import drop_capabilities, prctl
from docstore.adapters.processors.protocol import Bounds
from docstore.adapters.processors.walls import Walls, put_up

FILE_FD: Final = 3
ANSWER_FD: Final = 4
MAX_DESCRIPTORS: Final = 64
MAPPED_BESIDES: Final = 640 * 1024**2
"""Bytes of address space for what is mapped but hardly touched: libraries, stacks, arenas."""

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_CHILD_SUBREAPER: Final = 36


def adopt_orphans() -> None:
    """Processes that this one's descendants leave behind become its children, not init's."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)


def hide_memory() -> None:
    """No core dump; nobody of the same user may attach or read /proc/self/{mem,environ}."""
    prctl(_PR_SET_DUMPABLE, 0)


def confine(bounds: Bounds, descriptors: Sequence[int], parent: int, walls: Walls) -> None:
    """Called in the child first thing; `descriptors` are the file, the answer, the complaints."""
    os.setsid()
    _die_with(parent)
    _reset_signals()
    _keep_only(descriptors)
    _limit(bounds)
    _volunteer_for_the_oom_killer()
    drop_capabilities()
    hide_memory()
    put_up(walls)


def _die_with(parent: int) -> None:
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


def _reset_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def _keep_only(descriptors: Sequence[int]) -> None:
    """The three, at fixed numbers, and /dev/null; nothing else of the parent's stays open."""
    file, answer, complaints = descriptors
    null = os.open(os.devnull, os.O_RDWR)
    wanted = (null, null, complaints, file, answer)  # become 0 to 4: FILE_FD, ANSWER_FD
    aside = [fcntl(fd, F_DUPFD_CLOEXEC, MAX_DESCRIPTORS) for fd in wanted]
    for number, fd in enumerate(aside):
        os.dup2(fd, number, inheritable=False)
    os.closerange(len(wanted), os.sysconf("SC_OPEN_MAX"))


def _limit(bounds: Bounds) -> None:
    seconds = ceil(bounds.seconds)
    space = bounds.memory + MAPPED_BESIDES
    _lower(resource.RLIMIT_CORE, 0, 0)
    _lower(resource.RLIMIT_AS, space, space)
    _lower(resource.RLIMIT_CPU, seconds, seconds + 1)  # SIGXCPU first, which says what it was
    _lower(resource.RLIMIT_FSIZE, bounds.result, bounds.result)
    _lower(resource.RLIMIT_NOFILE, MAX_DESCRIPTORS, MAX_DESCRIPTORS)


def _volunteer_for_the_oom_killer() -> None:
    """When the machine runs out of memory, this goes before the worker or a database."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "wb") as file:
        file.write(b"1000")


def _lower(what: int, soft: int, hard: int) -> None:
    """Set a limit, or leave one that is stricter already."""
    _, ceiling = resource.getrlimit(what)
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(what, (soft, hard))
