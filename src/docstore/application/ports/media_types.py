from dataclasses import dataclass
from typing import Protocol

from docstore.domain.names import FileName, MediaType


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The ends of a file, as they were seen while its bytes streamed in."""

    head: bytes  # the first bytes, all of them when `tail` is empty
    tail: bytes  # the last bytes; never overlaps `head`
    size: int  # bytes, of the whole file
    name: FileName


class TypeSniffer(Protocol):
    """Tells the type of a file by its content. Memory-safe, bounded, never raises."""

    def sniff(self, sample: Sample) -> MediaType:
        """The type; octet-stream when nothing is recognised. The name only breaks ties."""
        ...
