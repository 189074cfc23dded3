"""What readers of formats give, and what they are given for files within files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from docstore.application.ports.processor import ProcessorOptions


class Encrypted(Exception):
    """It takes a password to read the file."""


class Unlisted(Exception):
    """What lies in an archive cannot be told, not even how much; the owner has been told why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one document."""

    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    archive: Mapping[str, Any] | None = None
    is_all: bool = False  # that may be read: nothing that lies elsewhere in the file is added


class Members(Protocol):
    """Reads the files within a file. All that one upload holds shares the same caps; what they
    cut off is told to its owner.
    """

    @property
    def options(self) -> ProcessorOptions: ...

    @property
    def seconds_left(self) -> float:
        """Until it is time to give what has been read."""
        ...

    def text(self, name: str, data: bytes) -> str:
        """All of a member that is worth finding, beginning with its name."""
        ...

    def inflate(self, stream: BinaryIO) -> bytes | None:
        """All of a stream as it unpacks; None when that is too long to be held in memory.

        Raises Exhausted when no more may be unpacked.
        """
        ...

    def hold(self, stream: BinaryIO, *, whole: bool = True) -> bytes | None:
        """As `inflate`, of what is counted already. Not `whole`: of what is too long, the first
        bytes.
        """
        ...

    def metered(self, stream: BinaryIO) -> BinaryIO:
        """The same stream, whose every byte counts as unpacked."""
        ...

    def count(self) -> None:
        """One more entry was found. Raises Exhausted when it is one too many."""
        ...

    def warn(self, code: str, message: str) -> None:
        """What the owner should know of the whole file; once for each code is enough."""
        ...


class Exhausted(Exception):
    """A cap on files within the file is reached; the owner has been told."""
