"""What a zip file says it would unpack to, summed before a byte of it is inflated."""

import zipfile
from io import BytesIO
from typing import Final

from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode

MAX_ENTRIES: Final = 10_000
MAX_UNPACKED: Final = 512 * 1024**2  # bytes
MAX_RATIO: Final = 50  # of unpacked to packed, beyond SMALL
SMALL: Final = 64 * 1024**2  # bytes unpacked that any ratio may come to


def check(data: bytes) -> None:
    """Raises ProcessingFailed: ARCHIVE_TOO_LARGE, or CORRUPT when there is no directory.

    The directory may lie; the memory limit of the process is there for that.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as file:
            members = file.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise ProcessingFailed(FailureCode.CORRUPT, "not a whole zip file") from error
    unpacked = sum(each.file_size for each in members)
    if len(members) > MAX_ENTRIES:
        raise _too_large(f"{len(members)} entries, more than {MAX_ENTRIES}")
    if unpacked > MAX_UNPACKED:
        raise _too_large(f"{unpacked} bytes unpacked, more than {MAX_UNPACKED}")
    if unpacked > max(SMALL, MAX_RATIO * len(data)):
        raise _too_large(f"unpacks to more than {MAX_RATIO} times its size")


def _too_large(why: str) -> ProcessingFailed:
    return ProcessingFailed(FailureCode.ARCHIVE_TOO_LARGE, why)
