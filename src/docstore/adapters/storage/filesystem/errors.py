"""The one place where the filesystem's errors become docstore's."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from docstore.adapters.storage.filesystem.fsops import FsOps
from docstore.domain.errors import NotFound, OutOfSpace, Unavailable

ABSENT: Final = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
"""No such file; or a folder, or a symbolic link, in its place: docstore made neither."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class LinksRefused(Exception):
    """This filesystem has no hard links, or not for this file any more."""


@contextmanager
def fs_errors(what: str) -> Iterator[None]:
    """All but a full disk is Unavailable: an operator can cure a read-only disk, wrong
    permissions or too few descriptors, and then the same call works.
    """
    try:
        yield
    except OSError as error:
        kind = OutOfSpace if error.errno in _FULL else Unavailable
        raise kind(f"{what}: {os.strerror(error.errno or errno.EIO)}") from error


@contextmanager
def lookup_errors(fs: FsOps, root: Path, key: str) -> Iterator[None]:
    """As `fs_errors`, for calls in which a missing file means NotFound. Not so when the whole
    store is missing: then nothing is known of the blob.
    """
    with fs_errors(key):
        try:
            yield
        except OSError as error:
            if error.errno not in ABSENT:
                raise
            fs.stat(root)
            raise NotFound("blob", key) from error
