"""The calls to the operating system that the store is made of, and nothing beside them.

So few and so plain that a test can stand in for all of them: one that fails at the Nth call, or
a simulated disk that loses what was not synced.
"""

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

_FOR_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOR_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_AT_ONCE: Final = getattr(os, "RWF_NOWAIT", 0)
_WOULD_WAIT: Final = {errno.EAGAIN, errno.EOPNOTSUPP, errno.ENOSYS}
_NOBODY_ELSE = 0o600
_NOBODY_ELSES_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class Status:
    is_file: bool
    size: int  # bytes
    changed_at: datetime  # of the content, or of the names that lead to it


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    is_folder: bool


class FsOps(Protocol):
    """Each raises OSError, as the call of that name in `os`; none follows a symbolic link."""

    def create(self, path: Path) -> int:
        """A descriptor for writing to a new file, or FileExistsError."""
        ...

    def open(self, path: Path) -> int:
        """A descriptor for reading."""
        ...

    def writev(self, fd: int, buffers: Sequence[memoryview]) -> int: ...
    def pread(self, fd: int, size: int, offset: int) -> bytes: ...

    def pread_cached(self, fd: int, size: int, offset: int) -> bytes:
        """As `pread`, but only what is in memory already: fewer bytes, or none, of the others.
        Called from one thread alone.
        """
        ...

    def fsync(self, fd: int) -> None: ...
    def close(self, fd: int) -> None: ...
    def link(self, source: Path, target: Path) -> None: ...
    def rename(self, source: Path, target: Path) -> None: ...
    def unlink(self, path: Path) -> None: ...
    def mkdir(self, path: Path) -> None: ...
    def rmdir(self, path: Path) -> None: ...
    def fsync_dir(self, path: Path) -> None: ...
    def stat(self, path: Path) -> Status: ...
    def scandir(self, path: Path) -> Iterable[Entry]: ...


class OsFsOps:
    """The real ones."""

    def __init__(self) -> None:
        self._room = bytearray()

    def create(self, path: Path) -> int:
        return os.open(path, _FOR_WRITING, _NOBODY_ELSE)

    def open(self, path: Path) -> int:
        return os.open(path, _FOR_READING)

    def writev(self, fd: int, buffers: Sequence[memoryview]) -> int:
        return os.writev(fd, buffers)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        return os.pread(fd, size, offset)

    def pread_cached(self, fd: int, size: int, offset: int) -> bytes:
        if not _AT_ONCE:
            return b""
        if len(self._room) < size:
            self._room = bytearray(size)
        with memoryview(self._room) as room:
            try:
                count = os.preadv(fd, [room[:size]], offset, _AT_ONCE)
            except OSError as error:
                if error.errno not in _WOULD_WAIT:
                    raise
                return b""
            return bytes(room[:count])

    def fsync(self, fd: int) -> None:
        os.fsync(fd)

    def close(self, fd: int) -> None:
        os.close(fd)

    def link(self, source: Path, target: Path) -> None:
        os.link(source, target, follow_symlinks=False)

    def rename(self, source: Path, target: Path) -> None:
        os.rename(source, target)

    def unlink(self, path: Path) -> None:
        os.unlink(path)

    def mkdir(self, path: Path) -> None:
        os.mkdir(path, _NOBODY_ELSES_FOLDER)

    def rmdir(self, path: Path) -> None:
        os.rmdir(path)

    def fsync_dir(self, path: Path) -> None:
        fd = os.open(path, _FOR_READING | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def stat(self, path: Path) -> Status:
        found = os.lstat(path)
        return Status(
            is_file=stat.S_ISREG(found.st_mode),
            size=found.st_size,
            changed_at=datetime.fromtimestamp(found.st_ctime, UTC),
        )

    def scandir(self, path: Path) -> Iterable[Entry]:
        with os.scandir(path) as entries:
            return [Entry(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
