"""A file of which only the beginning and the end are known, addressed by place in the file."""

from dataclasses import dataclass
from typing import Self

from docstore.application.ports.media_types import Sample


@dataclass(frozen=True, slots=True)
class Ends:
    head: bytes
    tail: bytes
    size: int  # bytes, of the whole file
    extension: str  # of its name, lower case, without the dot

    @classmethod
    def of(cls, sample: Sample) -> Self:
        _, dot, extension = sample.name.rpartition(".")
        return cls(sample.head, sample.tail, sample.size, extension.lower() if dot else "")

    @property
    def is_whole(self) -> bool:
        """Whether all of the file is known."""
        return len(self.head) + len(self.tail) >= self.size

    def holds(self, needle: bytes) -> bool:
        return needle in self.head or needle in self.tail

    def parts(self) -> tuple[bytes, ...]:
        """What is known, in one piece when there is no gap."""
        if self.is_whole:
            return (self.head + self.tail,)
        return (self.head, self.tail)
