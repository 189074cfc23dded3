"""What processing found out about a file: plain values, the same in every process and store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from docstore.domain.names import MediaType

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the owner should know about a file that is processed all the same.

    Codes: `encrypted`, `truncated`, `type_mismatch`, `partial`.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """A picture made from the file, stored under `key`."""

    name: str  # thumbnail, preview, resized
    media_type: MediaType
    width: int  # pixels
    height: int
    size: int  # bytes
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that one successful processing leaves in the file's row."""

    extracted: Mapping[str, Json]  # the shape is HTTP's `extracted`
    text_key: str | None = None
    renditions: Sequence[Rendition] = ()
    warnings: Sequence[Notice] = ()
    media_type: MediaType | None = None  # a better answer than the signature's, or None
