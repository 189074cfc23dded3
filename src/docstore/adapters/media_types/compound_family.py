"""Formats that are compound files underneath ([MS-CFB]), told apart by what streams they hold.

The directory may lie anywhere, so names of streams are looked for in what is known of the file. A
document can hold another one, whose streams are found too: then the extension decides.
"""

from typing import Final

from docstore.adapters.media_types.ends import Ends

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
COMPOUND: Final = "application/x-ole-storage"

_WORD: Final = "application/msword"
_EXCEL: Final = "application/vnd.ms-excel"
_POWERPOINT: Final = "application/vnd.ms-powerpoint"
_OUTLOOK: Final = "application/vnd.ms-outlook"
_OOXML: Final = "application/vnd.openxmlformats-officedocument"

_STREAMS: Final = {
    "PowerPoint Document": _POWERPOINT,
    "WordDocument": _WORD,
    "Workbook": _EXCEL,
    "__properties_version1.0": _OUTLOOK,
}
_BY_EXTENSION: Final = {
    "doc": _WORD, "dot": _WORD, "xls": _EXCEL, "xlt": _EXCEL, "ppt": _POWERPOINT,
    "pps": _POWERPOINT, "pot": _POWERPOINT, "msg": _OUTLOOK, "msi": "application/x-msi",
}  # fmt: skip
_ENCRYPTED: Final = {
    "docx": f"{_OOXML}.wordprocessingml.document",
    "xlsx": f"{_OOXML}.spreadsheetml.sheet",
    "pptx": f"{_OOXML}.presentationml.presentation",
}  # [MS-OFFCRYPTO] 2.3: the whole zip file, encrypted, is one stream of a compound file


def compound_type(ends: Ends) -> str:
    """The type of a file that begins with MAGIC."""
    if _names(ends, "EncryptedPackage"):
        return _ENCRYPTED.get(ends.extension, COMPOUND)
    found = [kind for stream, kind in _STREAMS.items() if _names(ends, stream)]
    told = _BY_EXTENSION.get(ends.extension, COMPOUND)
    if not found or told in found:
        return told
    return found[0]


def _names(ends: Ends, stream: str) -> bool:
    return ends.holds(stream.encode("utf-16-le") + b"\0\0")
