"""Formats that are zip files underneath, told apart by the names of their members.

The names come from the central directory at the end. When not all of it is known, they come from
whatever headers are, which may be those of a zip file within. Nothing is inflated.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Final

from docstore.adapters.media_types.ends import Ends

MAX_MEMBERS: Final = 4096  # names looked at
MAX_MIMETYPE: Final = 100  # bytes

_LOCAL: Final = b"PK\x03\x04"  # APPNOTE.TXT 4.3.7
_CENTRAL: Final = b"PK\x01\x02"  # 4.3.12
_END: Final = b"PK\x05\x06"  # 4.3.16
_STARTS: Final = (_LOCAL, _END, b"PK\x07\x08")  # 4.3.16: an empty one; 8.5.4: spanned
_NAME_LENGTH_AT: Final = {_LOCAL: 26, _CENTRAL: 28}
_NAME_AT: Final = {_LOCAL: 30, _CENTRAL: 46}

_OOXML: Final = "application/vnd.openxmlformats-officedocument"
_WORD: Final = {
    "docx": f"{_OOXML}.wordprocessingml.document",
    "dotx": f"{_OOXML}.wordprocessingml.template",
    "docm": "application/vnd.ms-word.document.macroenabled.12",
    "dotm": "application/vnd.ms-word.template.macroenabled.12",
}
_SHEET: Final = {
    "xlsx": f"{_OOXML}.spreadsheetml.sheet",
    "xltx": f"{_OOXML}.spreadsheetml.template",
    "xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
    "xltm": "application/vnd.ms-excel.template.macroenabled.12",
    "xlsb": "application/vnd.ms-excel.sheet.binary.macroenabled.12",
}
_SLIDES: Final = {
    "pptx": f"{_OOXML}.presentationml.presentation",
    "ppsx": f"{_OOXML}.presentationml.slideshow",
    "potx": f"{_OOXML}.presentationml.template",
    "pptm": "application/vnd.ms-powerpoint.presentation.macroenabled.12",
    "ppsm": "application/vnd.ms-powerpoint.slideshow.macroenabled.12",
}
_OFFICE: Final[Mapping[str, Mapping[str, str]]] = {
    "word/": _WORD,
    "xl/": _SHEET,
    "ppt/": _SLIDES,
}
_ODF: Final = "application/vnd.oasis.opendocument"
_ODF_BY_EXTENSION: Final = {
    "odt": f"{_ODF}.text",
    "ods": f"{_ODF}.spreadsheet",
    "odp": f"{_ODF}.presentation",
    "odg": f"{_ODF}.graphics",
}
_BY_MEMBER: Final = {
    "META-INF/container.xml": "application/epub+zip",
    "AndroidManifest.xml": "application/vnd.android.package-archive",
    "META-INF/MANIFEST.MF": "application/java-archive",
    "doc.kml": "application/vnd.google-earth.kmz",
}


def is_zip(head: bytes) -> bool:
    return head.startswith(_STARTS)


def zip_type(ends: Ends) -> str:
    """The type of a file that begins as a zip does."""
    if declared := _declared(ends.head):
        return declared
    names = frozenset(_names(ends))
    if "[Content_Types].xml" in names and (office := _office(names, ends.extension)):
        return office
    if {"content.xml", "META-INF/manifest.xml"} <= names and ends.extension in _ODF_BY_EXTENSION:
        return _ODF_BY_EXTENSION[ends.extension]
    found = (kind for member, kind in _BY_MEMBER.items() if member in names)
    return next(found, "application/zip")


def _declared(head: bytes) -> str | None:
    """OpenDocument 1.3 part 2, 3.3, and EPUB OCF: the first member, `mimetype`, holds the type,
    stored as it is.
    """
    if head[30:38] != b"mimetype" or head[8:10] != b"\0\0":
        return None
    length, extra = struct.unpack_from("<L", head, 18)[0], struct.unpack_from("<H", head, 28)[0]
    start = 38 + extra
    value = head[start : start + min(length or MAX_MIMETYPE, MAX_MIMETYPE)]
    text = value.partition(b"PK")[0].strip().decode("ascii", "replace")
    known = text == "application/epub+zip" or text.startswith((_ODF, "application/vnd.sun.xml."))
    return text if known and text.isprintable() and " " not in text else None


def _office(names: frozenset[str], extension: str) -> str | None:
    for folder, kinds in _OFFICE.items():
        if any(name.startswith(folder) for name in names):
            first = next(iter(kinds.values()))
            return kinds.get(extension, first)
    return None


def _names(ends: Ends) -> Iterator[str]:
    last = ends.parts()[-1]
    end = last.rfind(_END)
    start = end - int.from_bytes(last[end + 12 :][:4], "little")  # 4.3.16: the directory's size
    if end >= 0 and start >= 0 and last.startswith(_CENTRAL, start):
        return _directory(last[start:end])
    return _scattered(ends)


def _directory(entries: bytes) -> Iterator[str]:
    at = 0
    for _ in range(MAX_MEMBERS):
        if not entries.startswith(_CENTRAL, at):
            return
        name, extra, comment = struct.unpack_from("<3H", entries.ljust(at + 46), at + 28)
        yield entries[at + 46 : at + 46 + name].decode("utf-8", "replace")
        at += 46 + name + extra + comment


def _scattered(ends: Ends) -> Iterator[str]:
    left = MAX_MEMBERS
    for part in reversed(ends.parts()):  # the directory is at the end
        for mark in (_CENTRAL, _LOCAL):
            for name in _names_after(part, mark, left):
                left -= 1
                yield name


def _names_after(part: bytes, mark: bytes, most: int) -> Iterator[str]:
    at = part.find(mark)
    while at >= 0 and most > 0:
        most -= 1
        length = int.from_bytes(part[at + _NAME_LENGTH_AT[mark] :][:2], "little")
        start = at + _NAME_AT[mark]
        yield part[start : start + length].decode("utf-8", "replace")
        at = part.find(mark, start)
