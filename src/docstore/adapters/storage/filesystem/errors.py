"""The one place where the filesystem's errors become docstore's."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from docstore.domain.errors import DocstoreError, NotFound, OutOfSpace, Unavailable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
"""No such file; or a folder, or a symbolic link, in its place: docstore made neither."""


@contextmanager
def fs_errors(what: str, *, absent: bool = False) -> Iterator[None]:
    """`absent`: whether a missing file means that there is no such blob.

    Everything else is Unavailable: an operator can cure a read-only disk, wrong permissions or
    too few descriptors, and then the same call works.
    """
    try:
        yield
    except OSError as error:
        raise _meaning(error, what, absent=absent) from error


def _meaning(error: OSError, what: str, *, absent: bool) -> DocstoreError:
    if absent and error.errno in ABSENT:
        return NotFound("blob", what)
    kind = OutOfSpace if error.errno in _FULL else Unavailable
    return kind(f"{what}: {os.strerror(error.errno or errno.EIO)}")
