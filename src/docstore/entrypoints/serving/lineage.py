"""A child process does not outlive its parent, however that one ends."""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


class ParentGone(Exception):
    """The parent died before its child could bind itself to it."""


def end_with(parent: int, end: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process `end` when the process `parent` dies. ParentGone when
    it is dead already.

    Called first thing, from the main thread. Elsewhere than on Linux there is no such service,
    and orphans end with their next signal.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, end.value, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died before the kernel was asked
        raise ParentGone(f"the process {parent} that started this one is gone")
