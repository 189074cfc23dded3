"""The system calls that a parser may make, and how: whatever is not here is refused.

Found by tracing the readers over some hundreds of real files: what reading, computing and threads
need. No path can be opened, no process started or signalled, nothing sent, no limit raised.
"""

import errno
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from docstore.adapters.processors.bpf import (
    ALLOW,
    ERRNO,
    KILL_PROCESS,
    Compare,
    Condition,
    From,
    Rule,
)

REFUSED: Final = ERRNO | errno.EPERM
EXISTS: Final = ERRNO | errno.EEXIST
"""Refused as well. kreuzberg makes the folder of its PDF engine each time, and wants to hear this
of the one that is there (`pdf_engine`).
"""
UNKNOWN: Final = ERRNO | errno.ENOSYS
"""What an older kernel says: a C library then takes the older call."""

Machine: TypeAlias = Literal["x86_64", "aarch64"]

ARCHITECTURES: Final[Mapping[str, int]] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_… of linux/audit.h. The tables below know these."""

_X32: Final = 0x40000000  # the first number of another set of calls under x86_64's own name
_YOUNGER: Final = 451  # calls from here on came after the tables; the same on all architectures

_CLONE_THREAD: Final = 0x00010000
_CLONE_NEW: Final = 0x7E020080  # all namespaces
_AT_EMPTY_PATH: Final = 0x1000
_AF_UNIX: Final = 1
_FCNTL: Final = (0, 1, 2, 3, 1030)  # DUPFD, GETFD, SETFD, GETFL, DUPFD_CLOEXEC; not SETOWN, SETSIG
_IOCTL: Final = (0x5401, 0x5450, 0x5451)  # TCGETS (isatty), FIONCLEX, FIOCLEX
_PRCTL: Final = (15, 16, 21, 39, 0x53564D41)  # SET_NAME, GET_NAME, GET_SECCOMP, GET_NO_NEW_PRIVS,
# SET_VMA (names of memory); not SET_DUMPABLE, SET_PDEATHSIG
_HWPOISON: Final = 100  # this madvice and above harm the machine


@dataclass(frozen=True, slots=True)
class _Call:
    """A system call's numbers; None where that architecture has no such call."""

    x86_64: int | None
    aarch64: int | None
    conditions: Sequence[Condition] = ()


def _equal(argument: int, *values: int) -> Condition:
    return Condition(argument, Compare.EQUAL, values)


_CALLS: Final[Mapping[str, _Call]] = {
    # what is open already
    "read": _Call(0, 63),
    "write": _Call(1, 64),
    "readv": _Call(19, 65),
    "writev": _Call(20, 66),
    "pread64": _Call(17, 67),
    "pwrite64": _Call(18, 68),
    "lseek": _Call(8, 62),
    "close": _Call(3, 57),
    "fstat": _Call(5, 80),
    "fadvise64": _Call(221, 223),
    "dup": _Call(32, 23),
    "dup2": _Call(33, None),
    "dup3": _Call(292, 24),
    "fcntl": _Call(72, 25, [_equal(1, *_FCNTL)]),
    "ioctl": _Call(16, 29, [_equal(1, *_IOCTL)]),
    # how big and how old, also of a path: the C library's fstat is one of these
    "newfstatat": _Call(262, 79, [Condition(3, Compare.ANY_BIT, [_AT_EMPTY_PATH])]),
    "statx": _Call(332, 291),
    # memory
    "mmap": _Call(9, 222),
    "mprotect": _Call(10, 226),
    "munmap": _Call(11, 215),
    "mremap": _Call(25, 216),
    "madvise": _Call(28, 233, [Condition(2, Compare.AT_LEAST, [_HWPOISON], wanted=False)]),
    "brk": _Call(12, 214),
    "membarrier": _Call(324, 283),
    # threads, which wake each other through pipes to nowhere else
    "clone": _Call(
        56,
        220,
        [
            Condition(0, Compare.ANY_BIT, [_CLONE_THREAD]),
            Condition(0, Compare.ANY_BIT, [_CLONE_NEW], wanted=False),
        ],
    ),
    "futex": _Call(202, 98),
    "set_robust_list": _Call(273, 99),
    "set_tid_address": _Call(218, 96),
    "rseq": _Call(334, 293),
    "sched_yield": _Call(24, 124),
    "sched_getaffinity": _Call(204, 123),
    "getcpu": _Call(309, 168),
    "gettid": _Call(186, 178),
    "epoll_create1": _Call(291, 20),
    "epoll_ctl": _Call(233, 21),
    "epoll_wait": _Call(232, None),
    "epoll_pwait": _Call(281, 22),
    "eventfd2": _Call(290, 19),
    "pipe2": _Call(293, 59),
    "poll": _Call(7, None),
    "ppoll": _Call(271, 73),
    "select": _Call(23, None),
    "pselect6": _Call(270, 72),
    "socketpair": _Call(53, 199, [_equal(0, _AF_UNIX)]),
    # time
    "clock_gettime": _Call(228, 113),
    "clock_getres": _Call(229, 114),
    "clock_nanosleep": _Call(230, 115),
    "nanosleep": _Call(35, 101),
    "gettimeofday": _Call(96, 169),
    "time": _Call(201, None),
    "times": _Call(100, 153),
    # signals, to itself
    "rt_sigaction": _Call(13, 134),
    "rt_sigprocmask": _Call(14, 135),
    "rt_sigreturn": _Call(15, 139),
    "sigaltstack": _Call(131, 132),
    "restart_syscall": _Call(219, 128),
    # what it is and may
    "getpid": _Call(39, 172),
    "getppid": _Call(110, 173),
    "getuid": _Call(102, 174),
    "geteuid": _Call(107, 175),
    "getgid": _Call(104, 176),
    "getegid": _Call(108, 177),
    "uname": _Call(63, 160),
    "sysinfo": _Call(99, 179),
    "getrusage": _Call(98, 165),
    "getrlimit": _Call(97, 163),
    "prlimit64": _Call(302, 261, [_equal(0, 0), Condition(2, Compare.EQUAL, [0], is_pointer=True)]),
    "prctl": _Call(157, 167, [_equal(0, *_PRCTL)]),
    "getrandom": _Call(318, 278),
    # the end
    "exit": _Call(60, 93),
    "exit_group": _Call(231, 94),
}
_MAKE_FOLDER: Final = (_Call(83, None), _Call(258, 34))  # mkdir, mkdirat
_TO_ONESELF: Final = (_Call(234, 131), _Call(62, 129))  # tgkill, as abort(3) does; kill
_CLONE3: Final = _Call(435, 435)  # its flags lie in memory, where no filter sees them


def rules(machine: Machine, pid: int) -> Iterator[Rule | From]:
    """What process `pid` may call; the first rule that fits decides, and none means refused."""
    yield From(_X32, KILL_PROCESS)
    yield From(_YOUNGER, UNKNOWN)
    for call in _CALLS.values():
        yield from _rule(call, machine, ALLOW)
    for call in _TO_ONESELF:
        yield from _rule(_Call(call.x86_64, call.aarch64, [_equal(0, pid)]), machine, ALLOW)
    for call in _MAKE_FOLDER:
        yield from _rule(call, machine, EXISTS)
    yield from _rule(_CLONE3, machine, UNKNOWN)


def _rule(call: _Call, machine: Machine, verdict: int) -> Iterator[Rule]:
    number = call.x86_64 if machine == "x86_64" else call.aarch64
    if number is not None:
        yield Rule(number, verdict, call.conditions, REFUSED)
