"""What the end of a file's name promises of its bytes."""

from collections.abc import Mapping
from typing import Final

from docstore.domain.findings import Notice
from docstore.domain.names import OCTET_STREAM, FileName, MediaType

MISMATCH: Final = "type_mismatch"

_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_PROGRAM: Final = ("application/x-msdownload", "application/vnd.microsoft.portable-executable")

PROMISED: Final[Mapping[str, tuple[str, ...]]] = {
    "pdf": ("application/pdf",),
    "png": ("image/png",),
    "jpg": ("image/jpeg",),
    "jpeg": ("image/jpeg",),
    "gif": ("image/gif",),
    "webp": ("image/webp",),
    "bmp": ("image/bmp", "image/x-ms-bmp"),
    "tif": ("image/tiff",),
    "tiff": ("image/tiff",),
    "docx": (_OFFICE,),
    "xlsx": (_OFFICE,),
    "pptx": (_OFFICE,),
    "exe": _PROGRAM,
    "dll": _PROGRAM,
}
"""Extension to what its media types begin with. Only formats that show what they are: of what is
text in any editor a name may say what it likes."""


def mismatch(name: FileName, found: MediaType) -> Notice | None:
    """The warning for a name that promises another type than was found."""
    _, dot, extension = name.rpartition(".")
    promised = PROMISED.get(extension.lower()) if dot else None
    if promised is None or found.startswith(promised):
        return None
    kind = "of no known type" if found == OCTET_STREAM else found
    return Notice(MISMATCH, f"the name ends in .{extension.lower()}, the bytes are {kind}")
