"""A filesystem that fails at one call."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from docstore.adapters.storage.filesystem.fsops import Entry, OsFsOps, Status

T = TypeVar("T")


class FaultyFsOps(OsFsOps):
    """Counts the calls, from 1, and fails at number `at` with `errno`; from there on always with
    `for_ever`. With `short`, no call writes or reads more than that many bytes.
    """

    def __init__(
        self, at: int = 0, errno: int = 0, *, for_ever: bool = False, short: int | None = None
    ) -> None:
        super().__init__()
        self.calls: list[str] = []
        self._at = at
        self._errno = errno
        self._for_ever = for_ever
        self._short = short

    @property
    def hit(self) -> str | None:
        """The name of the call that failed first."""
        return self.calls[self._at - 1] if 0 < self._at <= len(self.calls) else None

    def create(self, path: Path) -> int:
        return self._do("create", lambda: super(FaultyFsOps, self).create(path))

    def open(self, path: Path) -> int:
        return self._do("open", lambda: super(FaultyFsOps, self).open(path))

    def writev(self, fd: int, buffers: Sequence[memoryview]) -> int:
        some = buffers if self._short is None else [buffers[0][: self._short]]
        return self._do("writev", lambda: super(FaultyFsOps, self).writev(fd, some))

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        some = size if self._short is None else min(size, self._short)
        return self._do("pread", lambda: super(FaultyFsOps, self).pread(fd, some, offset))

    def fsync(self, fd: int) -> None:
        self._do("fsync", lambda: super(FaultyFsOps, self).fsync(fd))

    def close(self, fd: int) -> None:
        super().close(fd)  # a close that fails has closed it
        self._do("close", lambda: None)

    def link(self, source: Path, target: Path) -> None:
        self._do("link", lambda: super(FaultyFsOps, self).link(source, target))

    def rename(self, source: Path, target: Path) -> None:
        self._do("rename", lambda: super(FaultyFsOps, self).rename(source, target))

    def unlink(self, path: Path) -> None:
        self._do("unlink", lambda: super(FaultyFsOps, self).unlink(path))

    def mkdir(self, path: Path) -> None:
        self._do("mkdir", lambda: super(FaultyFsOps, self).mkdir(path))

    def rmdir(self, path: Path) -> None:
        self._do("rmdir", lambda: super(FaultyFsOps, self).rmdir(path))

    def fsync_dir(self, path: Path) -> None:
        self._do("fsync_dir", lambda: super(FaultyFsOps, self).fsync_dir(path))

    def stat(self, path: Path) -> Status:
        return self._do("stat", lambda: super(FaultyFsOps, self).stat(path))

    def scandir(self, path: Path) -> Iterable[Entry]:
        return self._do("scandir", lambda: super(FaultyFsOps, self).scandir(path))

    def _do(self, name: str, call: Callable[[], T]) -> T:
        self.calls.append(name)
        number = len(self.calls)
        if number == self._at or (self._for_ever and 0 < self._at < number):
            raise OSError(self._errno, os.strerror(self._errno))
        return call()
