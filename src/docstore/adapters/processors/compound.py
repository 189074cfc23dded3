"""Compound files ([MS-CFB]) as holders of other files: OLE objects, and what Office embeds."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Final, TypeAlias

from docstore.adapters.processors.reading import Exhausted, Members

if TYPE_CHECKING:  # imported in the parsers' process only
    from olefile import OleFileIO

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_LABEL: Final = 1024  # bytes of a name in a package

_Path: TypeAlias = Sequence[str]
_PACKAGE: Final = "\x01Ole10Native"  # [MS-OLEDS] 2.3.6
_WHOLE: Final = frozenset({"contents", "package", "embeddedodf"})  # another file, as it is
_MAIN: Final = frozenset({"WordDocument", "Workbook", "Book", "PowerPoint Document"})


def embedded(name: str, data: bytes, members: Members) -> Iterator[str]:
    """A file embedded in a document: an OLE object is unwrapped, all else is read as it is."""
    if data.startswith(MAGIC) and not _is_document(data):
        yield name
        yield from objects(data, members)
    else:
        yield members.text(name, data)


def objects(data: bytes, members: Members) -> Iterator[str]:
    """The text of the OLE objects in a compound file, and their names."""
    with opened(data) as file:
        for path in file.listdir():
            if path[-1] == _PACKAGE or path[-1].lower() in _WHOLE:
                try:
                    yield _object(file, path, members)
                except Exhausted:
                    return


def _is_document(data: bytes) -> bool:
    with opened(data) as file:
        return any(len(path) == 1 and path[0] in _MAIN for path in file.listdir())


def _object(file: "OleFileIO", path: _Path, members: Members) -> str:
    members.count()
    with file.openstream(path) as stream:
        data = members.inflate(stream) or b""
    if path[-1] != _PACKAGE:
        return members.text(path[-2] if len(path) > 1 else "", data)
    return members.text(*packaged(data[4:]))  # behind its length


def packaged(data: bytes) -> tuple[str, bytes]:
    """Name and content. The native data of other programs than Packager has no name."""
    if not data.startswith(b"\2\0"):
        return "", data
    label, at = _string(data, 2)
    _, at = _string(data, at)
    _, at = _string(data, at + 8)  # two numbers, the length of the path, the path
    length = int.from_bytes(data[at : at + 4], "little")
    return label, data[at + 4 : at + 4 + length]


def utf16(file: "OleFileIO", path: _Path) -> str:
    """The text of a stream; empty when there is none."""
    if not file.exists(path) or file.get_size(path) > MAX_LABEL:
        return ""
    with file.openstream(path) as stream:
        return str(stream.read().decode("utf-16-le", "replace")).rstrip("\0")


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(b"\0", at, at + MAX_LABEL)
    if end < 0:
        return "", len(data)
    return data[at:end].decode("cp1252", "replace"), end + 1


def opened(data: bytes) -> "OleFileIO":
    import olefile

    return olefile.OleFileIO(BytesIO(data))
