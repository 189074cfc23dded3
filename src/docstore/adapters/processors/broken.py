"""How Python's own readers of archives say that a file is broken, not the disk it lies on."""

import errno
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_BROKEN: Final = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError,
    RuntimeError, EOFError, ValueError, LookupError,
)  # fmt: skip


class Broken(Exception):
    """It is not what it says it is, or not whole."""


@contextmanager
def brokenness() -> Iterator[None]:
    """Raises Broken for whatever else they raise."""
    try:
        yield
    except _BROKEN as error:
        raise Broken(str(error)) from error
    except OSError as error:
        # Without a number they are gzip's and bz2's; this number is of a place before the file.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise Broken(str(error)) from error
