"""Calls of the kernel that Python's library has no names for."""

import ctypes
import os
from typing import Final

_libc: Final = ctypes.CDLL(None, use_errno=True)  # loaded before any fork


def prctl(option: int, *arguments: int) -> None:
    """prctl(2). Raises OSError."""
    words = [ctypes.c_ulong(each) for each in (*arguments, 0, 0, 0, 0)[:4]]
    _checked(_libc.prctl(option, *words), f"prctl({option})")


def syscall(number: int, *arguments: object) -> int:
    """syscall(2), whose arguments are ints or ctypes' pointers. Raises OSError."""
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    answer = _libc.syscall(ctypes.c_long(number), *words)
    return _checked(answer, f"system call {number}")


def drop_capabilities() -> None:
    """None of root's powers is left, also when the uid stays 0 (capabilities(7), capset(2))."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
    none = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice 32 of each
    _checked(_libc.capset(header, none), "capset")


def _checked(answer: int, what: str) -> int:
    if answer == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return answer
