"""Processes that take connections from one socket see how many each of them has.

Whoever looks first would take them all: a client that connects thirty times keeps both cores busy,
and where it does not leave one to the other process it waits for a single one.
"""

import mmap
import os
import tempfile
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager, suppress
from typing import Any, Final

SLACK: Final = 1  # connections more than others have, that are taken all the same
NUMBER: Final = "q"  # as the modules `struct` and `array` name it: 8 bytes, written at once


class Share:
    """The place of one process in the table of all. A process that starts again finds its own."""

    def __init__(self, table: int, place: int) -> None:
        """`table` is a descriptor of `shared_table`; `place` counts from 0."""
        self._counts: MutableSequence[int] = memoryview(mmap.mmap(table, 0)).cast(NUMBER)  # type: ignore[assignment]
        self._place = place
        self.tell(0)

    def tell(self, connections: int) -> None:
        self._counts[self._place] = connections

    def is_ahead(self) -> bool:
        """Whether another should take the next one. It may not be able to: it may hang, or be
        gone, and its number stays.
        """
        return self._counts[self._place] > min(self._counts) + SLACK


@contextmanager
def shared_table(processes: int) -> Iterator[int]:
    """A descriptor of a table with a place for each; in memory where the system has such files,
    for a full disk kills whoever writes to a mapped one.
    """
    descriptor = _file()
    try:
        os.write(descriptor, bytes(processes * 8))
        yield descriptor
    finally:
        os.close(descriptor)


def _file() -> int:
    with suppress(AttributeError, OSError):  # not Linux; or a kernel, or a jail, that has none
        return os.memfd_create("docstore-shares")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class Tally(set[Any]):
    """Connections, as uvicorn keeps them; each that goes is told."""

    def __init__(self, share: Share) -> None:
        super().__init__()
        self._share = share

    def discard(self, connection: Any) -> None:
        super().discard(connection)
        self._share.tell(len(self))
