"""A blob on its way in: a file of its own, which gets its name when it is whole."""

import errno
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

from docstore.adapters.storage.filesystem.errors import LinksRefused
from docstore.adapters.storage.filesystem.folders import Folders
from docstore.adapters.storage.filesystem.fsops import FsOps

T = TypeVar("T")

_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}


class Incoming:
    """One writer's, in `folder`, which is made when it is missing; one step at a time, each in
    whatever thread. Ends with `discard`.
    """

    def __init__(self, fs: FsOps, folder: Path, folders: Folders, *, durable: bool) -> None:
        self._fs = fs
        self._folders = folders
        self._durable = durable
        self._path = folder / token_hex(16)
        self._fd: int | None = None
        self.exists = False  # whether something is left to discard

    def write(self, chunks: Sequence[bytes]) -> None:
        if self._fd is None:
            self._fd = self._create()
        views = [memoryview(chunk) for chunk in chunks if chunk]
        while views:
            _drop(views, self._fs.writev(self._fd, views))

    def publish(self, target: Path) -> None:
        """Make what was written the blob `target`, replacing another."""
        if self._fd is None:
            self._fd = self._create()
        if self._durable:
            self._fs.fsync(self._fd)  # once: after a failure, another may lie
        self._close()
        self._folders.move(self._path, target)
        self.exists = False

    def share(self, source: Path, target: Path) -> None:
        """Make the bytes of the blob `source` the blob `target` too."""
        self._link(source)
        self._folders.move(self._path, target)
        self.discard()  # renaming to another name of the same bytes does nothing at all

    def discard(self) -> None:
        """Leave nothing behind. What a failing disk keeps is `tidy`'s."""
        with suppress(OSError):
            self._close()
        with suppress(OSError):
            self._fs.unlink(self._path)
        self.exists = False

    def _create(self) -> int:
        fd = self._with_room(lambda: self._fs.create(self._path))
        self.exists = True
        return fd

    def _link(self, source: Path) -> None:
        try:
            self._with_room(lambda: self._fs.link(source, self._path))
        except OSError as error:
            if error.errno in _NO_LINKS:
                raise LinksRefused from error
            raise
        self.exists = True

    def _with_room(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except FileNotFoundError:  # the first of all; a source may be missing as well
            with suppress(FileExistsError):
                self._fs.mkdir(self._path.parent)
            return call()

    def _close(self) -> None:
        fd, self._fd = self._fd, None  # a failed close has closed it all the same
        if fd is not None:
            self._fs.close(fd)


def _drop(views: list[memoryview], written: int) -> None:
    """Take `written` bytes off the front."""
    whole = 0
    while whole < len(views) and written >= len(views[whole]):
        written -= len(views[whole])
        whole += 1
    del views[:whole]
    if written:
        views[0] = views[0][written:]
