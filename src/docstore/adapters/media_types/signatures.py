from typing import Final

from filetype.match import match
from filetype.types import DOCUMENT, TYPES
from filetype.types.video import Mkv, Webm

from docstore.adapters.media_types import compound_family, ebml_family, text_family, zip_family
from docstore.adapters.media_types.ends import Ends
from docstore.application.ports.media_types import Sample
from docstore.domain.names import OCTET_STREAM, MediaType

LIBRARY_SAMPLE: Final = 8192  # bytes that the library looks at
PDF_WITHIN: Final = 1024  # bytes; readers accept this much before the header

_PDF: Final = "application/pdf"
_WHITESPACE: Final = b"\xef\xbb\xbf \t\r\n\x00"
_OURS: Final = (
    (b"{\\rtf", "application/rtf"),
    (b"\xff\x0a", "image/jxl"),  # ISO/IEC 18181-2, a bare codestream
    (b"\x09\x02\x06\x00\x00\x00\x10\x00", "application/vnd.ms-excel"),  # BIFF3, a sheet
    (b"\x09\x04\x06\x00\x00\x00\x10\x00", "application/vnd.ms-excel"),  # BIFF4
    (b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a", "image/jxl"),  # and in a container
)
_LIBRARY: Final = [
    kind for kind in TYPES if kind not in DOCUMENT and not isinstance(kind, (Mkv, Webm))
]
"""All that the library knows but compound, zip and EBML files, which never come so far."""
_USUAL_NAMES: Final = {
    "audio/x-flac": "audio/flac",
    "audio/x-wav": "audio/wav",
    "image/apng": "image/png",  # a still reader sees a PNG
    "video/x-m4v": "video/mp4",
}


class SignatureSniffer:
    """Types by content, in pure Python.

    Whoever matches first wins, so that a file which is two things at once is one for docstore:
    PDF at the very start, RTF and JPEG XL, compound files, zip files, Matroska, text in Unicode,
    the signatures of the library `filetype`, text in older encodings, PDF after some other bytes.
    Text comes before the library because a picture or a program has control bytes and no text
    has, while many signatures are two letters that a text may begin with.
    """

    def sniff(self, sample: Sample) -> MediaType:
        return MediaType(_type(Ends.of(sample)) or OCTET_STREAM)


def _type(ends: Ends) -> str | None:
    if ends.head[:PDF_WITHIN].lstrip(_WHITESPACE).startswith(b"%PDF-"):
        return _PDF
    if kind := next((kind for mark, kind in _OURS if ends.head.startswith(mark)), None):
        return kind
    if ends.head.startswith(compound_family.MAGIC):
        return compound_family.compound_type(ends)
    if zip_family.is_zip(ends.head):
        return zip_family.zip_type(ends)
    if ends.head.startswith(ebml_family.MAGIC):
        return ebml_family.ebml_type(ends)
    if text := text_family.unicode_text(ends):
        return text_family.text_type(text, ends)
    return _otherwise(ends)


def _otherwise(ends: Ends) -> str | None:
    if found := match(ends.head[:LIBRARY_SAMPLE], _LIBRARY):
        kind: str = found.mime
        return _USUAL_NAMES.get(kind, kind)
    if text := text_family.legacy_text(ends):
        return text_family.text_type(text, ends)
    return _PDF if b"%PDF-" in ends.head[:PDF_WITHIN] else None
