"""Matroska and WebM, told apart by the DocType of their EBML header (RFC 8794, 11.2.6)."""

from typing import Final

from docstore.adapters.media_types.ends import Ends

MAGIC: Final = b"\x1a\x45\xdf\xa3"
HEADER: Final = 4096  # bytes in which the DocType is looked for

_DOC_TYPE: Final = b"\x42\x82"
_SOUND: Final = frozenset({"mka", "weba"})
_FILMS: Final = {b"webm": "webm", b"matroska": "x-matroska"}


def ebml_type(ends: Ends) -> str | None:
    """The type of a file that begins with MAGIC. Only its name tells that it has no picture."""
    kind = _FILMS.get(_doc_type(ends.head[:HEADER]))
    group = "audio" if ends.extension in _SOUND else "video"
    return None if kind is None else f"{group}/{kind}"


def _doc_type(header: bytes) -> bytes:
    at = header.find(_DOC_TYPE) + len(_DOC_TYPE)
    if at < len(_DOC_TYPE) or at >= len(header):
        return b""
    width = 9 - header[at].bit_length()  # of the size, in bytes (4.1)
    size = int.from_bytes(header[at : at + width], "big") & ((1 << 7 * width) - 1)
    return header[at + width : at + width + min(size, 16)].rstrip(b"\0")
