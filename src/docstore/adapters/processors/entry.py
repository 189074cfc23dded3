from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of an archive."""

    name: str  # as the archive spells it: may be absolute, or lead upwards
    size: int  # bytes unpacked, as the archive tells
    read: Callable[[], bytes | None] | None = None  # None: a folder, a link, or read already
    text: str = ""  # what a library read of it
