"""The wall around files: Landlock, as https://docs.kernel.org/userspace-api/landlock.html tells.

A ruleset names what it handles, and denies all of that for which no rule is added. None is added
here: a child gets its file as an open descriptor and needs no path.
"""

import ctypes
import errno
import os
from typing import Final, TypeAlias

from docstore.adapters.processors.kernel import syscall

# The same numbers on every architecture.
_CREATE_RULESET: Final = 444
_RESTRICT_SELF: Final = 446

_CREATE_RULESET_VERSION: Final = 1

_Rights: TypeAlias = tuple[tuple[int, int], ...]  # the ABI since which, and their bits

_ACCESS_FS: Final[_Rights] = (
    (1, (1 << 13) - 1),  # execute, write, read, list, remove, make anything
    (2, 1 << 13),  # REFER: link or rename to another folder
    (3, 1 << 14),  # TRUNCATE
    (5, 1 << 15),  # IOCTL_DEV
)
_ACCESS_NET: Final[_Rights] = ((4, 0b11),)  # BIND_TCP, CONNECT_TCP
_SCOPED: Final[_Rights] = ((6, 0b11),)  # ABSTRACT_UNIX_SOCKET, SIGNAL: only within one's domain
COMPLETE: Final = 6
"""The first ABI that has all of the above."""

_SIZES: Final = ((1, 8), (4, 16), (6, 24))  # bytes of the attributes that an ABI knows


class _Attributes(ctypes.Structure):
    """struct landlock_ruleset_attr"""

    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


def abi() -> int:
    """The version that the kernel speaks; 0 when it has none, or it is off since boot."""
    try:
        return syscall(_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
            return 0
        raise


def deny_all(abi: int) -> None:
    """For this thread and all that it will start, for ever. Needs `no_new_privs`."""
    rights = [_known(each, abi) for each in (_ACCESS_FS, _ACCESS_NET, _SCOPED)]
    attributes = _Attributes(*rights)
    size = max(length for since, length in _SIZES if abi >= since)
    ruleset = syscall(_CREATE_RULESET, ctypes.byref(attributes), size, 0)
    try:
        syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _known(rights: _Rights, abi: int) -> int:
    return sum(bits for since, bits in rights if abi >= since)
