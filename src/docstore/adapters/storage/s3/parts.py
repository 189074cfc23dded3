"""What has come of a body and is not at the server yet: in memory as long as there is room, else
in a file without a name.
"""

from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import IO


class Room:
    """Bytes of memory that all puts of a store share. Used on the event loop alone."""

    def __init__(self, size: int) -> None:
        self._left = size

    def take(self, size: int) -> bool:
        """Whether there was room for `size` more bytes; they are given back by who took them."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        self._left += size


class Part:
    """Bytes that are sent by one request. A slow client fills one slowly, and must not keep
    memory from the others meanwhile: what finds no room goes to disk.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._chunks: list[bytes] = []
        self._taken = 0
        self._file: IO[bytes] | None = None
        self.size = 0

    @property
    def is_in_memory(self) -> bool:
        return self._file is None

    def keep(self, chunk: bytes) -> bool:
        """Take `chunk` without waiting; whether that was possible. If not, `spill` takes it."""
        if self._file is not None or not self._room.take(len(chunk)):
            return False
        self._taken += len(chunk)
        self.size += len(chunk)
        self._chunks.append(chunk)
        return True

    def spill(self, chunk: bytes) -> None:
        """Take `chunk`, on disk, and all that was in memory with it. Blocks."""
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115  # closed by `forget`
            self._file.writelines(self._chunks)
            self._chunks = []
        self._file.write(chunk)
        self.size += len(chunk)

    def pieces(self) -> Sequence[bytes]:
        """All of it, in memory; nothing more is taken after that. Blocks when it is on disk."""
        if self._file is None:
            return self._chunks
        self._file.seek(0)
        return [self._file.read()]

    def give_back(self) -> None:
        """The room that is no longer taken, since it was spilled."""
        if self._file is not None:
            self._room.give_back(self._taken)
            self._taken = 0

    def forget(self) -> None:
        """Give back all memory, and the file. May be called again."""
        self._room.give_back(self._taken)
        self._taken = 0
        self._chunks = []
        if self._file is not None:
            self._file.close()
