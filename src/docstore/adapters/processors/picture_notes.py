"""What people wrote into a picture: EXIF, IPTC, XMP, comments of JPEG and texts of PNG."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from docstore.adapters.processors.plain_text import decode
from docstore.adapters.processors.prose import clean
from docstore.adapters.processors.supplement import supplemented
from docstore.adapters.processors.xmp import xmp_text

MAX_NOTE: Final = 10_000  # characters of each
MAX_NOTES: Final = 200

_EXIF: Final = (0x010E, 0x013B, 0x8298)  # description, artist, copyright
_WINDOWS: Final = (0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F)  # UTF-16: title to subject
_USER_COMMENT: Final = 0x9286
_CODE: Final = 8  # bytes before a user's comment that tell its encoding
_PNG: Final = frozenset({"Title", "Author", "Description", "Copyright", "Comment", "Warning"})
# IIM 4.2, records 2:x: title, keywords, by-line, city, country, headline, credit, source,
# copyright, caption.
_IPTC: Final = tuple((2, dataset) for dataset in (5, 25, 80, 90, 101, 105, 110, 115, 116, 120))


def picture_notes(image: Any) -> str:
    """The notes of a Pillow image, a line each; what cannot be read is left out."""
    notes: list[str] = []
    for source in (_exif, _iptc, _xmp, _comments):
        with suppress(Exception):  # a broken note spoils no picture
            notes.extend(clean(note).strip("\0 \n")[:MAX_NOTE] for note in source(image))
    return supplemented("", notes[:MAX_NOTES])


def _exif(image: Any) -> Iterator[str]:
    from PIL import ExifTags

    tags: Mapping[int, Any] = image.getexif()
    for tag in _EXIF:
        yield _text(tags.get(tag))
    for tag in _WINDOWS:
        value = tags.get(tag, b"")
        yield bytes(value).decode("utf-16-le", "ignore").rstrip("\0")
    comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(_USER_COMMENT, b"")
    if isinstance(comment, bytes) and comment.startswith((b"ASCII\0", bytes(_CODE))):
        yield _text(comment[_CODE:])


def _iptc(image: Any) -> Iterator[str]:
    from PIL import IptcImagePlugin

    records: Mapping[tuple[int, int], Any] = IptcImagePlugin.getiptcinfo(image) or {}
    for record in _IPTC:
        values = records.get(record, [])
        for value in values if isinstance(values, list) else [values]:
            yield _text(value)


def _xmp(image: Any) -> Iterator[str]:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    yield xmp_text(packet.encode() if isinstance(packet, str) else packet)


def _comments(image: Any) -> Iterator[str]:
    yield _text(image.info.get("comment"))
    for name in sorted(_PNG & image.info.keys()):
        yield _text(image.info[name])


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return decode(value[:MAX_NOTE])
    return value if isinstance(value, str) else ""
