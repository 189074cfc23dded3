"""The wall around the kernel itself: a filter of system calls, for this process and for ever.

https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import os
import struct
from typing import Final, cast

from docstore.adapters.processors.bpf import INSTRUCTION_SIZE, assemble
from docstore.adapters.processors.kernel import prctl
from docstore.adapters.processors.syscalls import ARCHITECTURES, REFUSED, Machine, rules

_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2


class _Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def machine() -> Machine | None:
    """The architecture, when there is a table of its calls."""
    name = os.uname().machine
    is_64_bit = struct.calcsize("P") == 8
    return cast(Machine, name) if name in ARCHITECTURES and is_64_bit else None


def allow_little(machine: Machine) -> None:
    """Only what `syscalls` lists, for all threads to come. Needs `no_new_privs`."""
    code = assemble(ARCHITECTURES[machine], rules(machine, os.getpid()), REFUSED)
    program = _Program(len(code) // INSTRUCTION_SIZE, code)
    prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(program))
