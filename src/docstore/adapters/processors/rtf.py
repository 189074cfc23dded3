"""Objects embedded in RTF: hexadecimal digits of an OLE 1.0 object ([MS-OLEDS] 2.2.5)."""

import re
from collections.abc import Iterator
from typing import Final

from docstore.adapters.processors import compound
from docstore.adapters.processors.reading import Members

MAX_OBJECTS: Final = 1000
_MARK: Final = b"\\objdata"
_NOT_HEX: Final = re.compile(rb"[^0-9a-fA-F]+")


def more(data: bytes, members: Members) -> Iterator[str]:
    at = 0
    for _ in range(MAX_OBJECTS):
        start, end = _group(data, at)
        if start < 0:
            return
        digits = _NOT_HEX.sub(b"", data[start:end])
        yield from _object(bytes.fromhex(digits[: len(digits) & ~1].decode("ascii")), members)
        at = end


def _group(data: bytes, at: int) -> tuple[int, int]:
    """Where the next object's digits begin and end; -1 when there is none."""
    mark = data.find(_MARK, at)
    if mark < 0:
        return -1, -1
    end = data.find(b"}", mark)
    return mark + len(_MARK), end if end >= 0 else len(data)


def _object(data: bytes, members: Members) -> Iterator[str]:
    members.count()
    at = 8  # a version, a format
    for _ in range(3):  # class, topic, item
        at += 4 + int.from_bytes(data[at : at + 4], "little")
    size = int.from_bytes(data[at : at + 4], "little")
    native = data[at + 4 : at + 4 + size]
    if native.startswith(compound.MAGIC):
        yield from compound.embedded("", native, members)
    elif native.startswith(b"\2\0"):
        yield members.text(*compound.packaged(native))
