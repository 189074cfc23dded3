"""A blob being read: one descriptor, so that replacing or deleting the blob changes nothing."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from docstore.adapters.storage.filesystem.fsops import FsOps

PIECE: Final = 256 * 1024  # bytes


class Reading:
    """One reader's; one step at a time, each in whatever thread. Ends with `close`."""

    def __init__(self, fs: FsOps, path: Path, start: int, length: int | None) -> None:
        self._fs = fs
        self._path = path
        self._offset = start
        self._left = length  # None: up to the end
        self._fd: int | None = None

    @property
    def is_open(self) -> bool:
        return self._fd is not None

    def open(self) -> None:
        self._fd = self._fs.open(self._path)

    def first(self) -> bytes:
        """Open the blob and read a piece."""
        self.open()
        return self.next()

    def next(self) -> bytes:
        """The next piece; one that is shorter than PIECE is the last, and may be empty. The blob
        is closed with it.
        """
        if self._fd is None:
            return b""
        return self._taken(self._read(self._fd, self._wanted))

    def next_cached(self) -> bytes:
        """The next piece if all of it is in memory, so that reading it ends at once; else empty,
        and nothing has changed.
        """
        if self._fd is None:
            return b""
        piece = self._fs.pread_cached(self._fd, self._wanted, self._offset)
        return self._taken(piece) if len(piece) == self._wanted else b""

    def close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            with suppress(OSError):  # what was read was read
                self._fs.close(fd)

    @property
    def _wanted(self) -> int:
        return PIECE if self._left is None else min(PIECE, self._left)

    def _taken(self, piece: bytes) -> bytes:
        is_last = len(piece) < self._wanted
        self._offset += len(piece)
        if self._left is not None:
            self._left -= len(piece)
        if is_last or self._left == 0:
            self.close()
        return piece

    def _read(self, fd: int, wanted: int) -> bytes:
        piece = b""
        while missing := wanted - len(piece):
            more = self._fs.pread(fd, missing, self._offset + len(piece))
            if not more:
                break
            piece += more
        return piece
