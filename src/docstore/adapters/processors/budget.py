"""How much may be unpacked of one upload, however its files lie within one another."""

import io
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Final, NoReturn, cast

from docstore.adapters.processors.reading import Exhausted
from docstore.adapters.processors.zip_directory import MAX_RATIO, SMALL
from docstore.application.ports.processor import ProcessorOptions
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Notice

PIECE: Final = 64 * 1024  # bytes inflated between two looks at the budget
MAX_MEMBER: Final = 64 * 1024**2  # bytes of one member that are held in memory
PART_OF_TIME: Final = 0.7  # of a processor's seconds; then it gives what it has


class Budget:
    """Counts bytes as they are inflated, whatever a directory claims."""

    def __init__(self, options: ProcessorOptions, packed: int) -> None:
        self._packed = packed  # bytes, of the upload
        self.options = options
        self._entries = 0
        self._unpacked = 0
        self._depth = 0
        self._until = time.monotonic() + PART_OF_TIME * options.seconds
        self._notices: dict[str, Notice] = {}

    @property
    def notices(self) -> Sequence[Notice]:
        return tuple(self._notices.values())

    def warn(self, code: str, message: str) -> None:
        self._notices.setdefault(code, Notice(code, message))

    def count(self) -> None:
        self._entries += 1
        most = self.options.max_archive_entries
        if self._entries > most:
            self._stop(f"the first {most}", "MAX_ARCHIVE_ENTRIES")

    def spend(self, size: int) -> None:
        """So many more bytes are unpacked. Raises ProcessingFailed when it is a bomb."""
        self._unpacked += size
        if self._unpacked > max(SMALL, MAX_RATIO * self._packed):
            message = f"unpacks to more than {MAX_RATIO} times its size"
            raise ProcessingFailed(FailureCode.ARCHIVE_TOO_LARGE, message)
        most = self.options.max_unpacked_bytes
        if self._unpacked > most:
            self._stop(f"the first {most} bytes unpacked", "MAX_UNPACKED_BYTES")
        if self._is_late():
            raise Exhausted

    def inflate(self, stream: BinaryIO) -> bytes | None:
        with self.metered(stream) as counted:
            return self.hold(counted)

    def hold(self, stream: BinaryIO, *, whole: bool = True) -> bytes | None:
        pieces = bytearray()
        while piece := stream.read(PIECE):
            pieces += piece
            if len(pieces) > MAX_MEMBER:
                self.warn("partial", f"members of more than {MAX_MEMBER} bytes were not read whole")
                return None if whole else bytes(pieces)
        return bytes(pieces)

    def metered(self, stream: BinaryIO) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Metered(stream, self), PIECE))

    @contextmanager
    def deeper(self) -> Iterator[bool]:
        """For the time of reading one member: whether it lies within what may be read."""
        if self._is_too_deep() or self._is_late():
            yield False
            return
        self._depth += 1
        try:
            yield True
        finally:
            self._depth -= 1

    def _is_too_deep(self) -> bool:
        most = self.options.max_archive_depth
        if self._depth < most:
            return False
        self._tell("truncated", f"those up to {most} files deep", "MAX_ARCHIVE_DEPTH")
        return True

    @property
    def seconds_left(self) -> float:
        return self._until - time.monotonic()

    def _is_late(self) -> bool:
        if self.seconds_left >= 0:
            return False
        self._tell("partial", "as many as there was time for", "PROCESS_SECONDS")
        return True

    def _stop(self, what: str, setting: str) -> NoReturn:
        self._tell("truncated", what, setting)
        raise Exhausted

    def _tell(self, code: str, what: str, setting: str) -> None:
        message = f"of the files within it, only {what} were read (DOCSTORE_{setting})"
        self._notices[setting] = Notice(code, message)


class _Metered(io.RawIOBase):
    def __init__(self, stream: BinaryIO, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override] # what it is given
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._budget.spend(len(data))
        return len(data)
