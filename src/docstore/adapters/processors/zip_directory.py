"""What a zip file says it would unpack to, summed before a byte of it is inflated."""

import zipfile
from typing import BinaryIO, Final

from docstore.adapters.processors.broken import Broken, brokenness
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode

MAX_RATIO: Final = 50  # of unpacked to packed, beyond SMALL
SMALL: Final = 64 * 1024**2  # bytes unpacked that any ratio may come to


def opened(body: BinaryIO, size: int, max_entries: int) -> zipfile.ZipFile:
    """The zip file, whose directory is within what may be read; the caller closes it.

    Raises ProcessingFailed: ARCHIVE_TOO_LARGE, or CORRUPT when there is no directory. The
    directory may lie: what reads members counts what really comes out of them.
    """
    body.read(1)  # an error of the disk: the next line would take it for a broken file
    try:
        with brokenness():
            file = zipfile.ZipFile(body)
    except Broken as error:
        raise ProcessingFailed(FailureCode.CORRUPT, "not a whole zip file") from error
    try:
        _check(file.infolist(), size, max_entries)
    except ProcessingFailed:
        file.close()
        raise
    return file


def unpacked(file: zipfile.ZipFile) -> int:
    """Bytes, as the directory claims."""
    return sum(each.file_size for each in file.infolist())


def check(body: BinaryIO, size: int, *, max_entries: int, max_unpacked: int) -> None:
    """For a document that a library will inflate as a whole. Raises as `opened` does."""
    with opened(body, size, max_entries) as file:
        claimed = unpacked(file)
    if claimed > max_unpacked:
        setting = "DOCSTORE_MAX_UNPACKED_BYTES"
        raise _too_large(f"{claimed} bytes unpacked, more than {max_unpacked} ({setting})")


def _check(members: list[zipfile.ZipInfo], size: int, max_entries: int) -> None:
    if len(members) > max_entries:
        setting = "DOCSTORE_MAX_ARCHIVE_ENTRIES"
        raise _too_large(f"{len(members)} entries, more than {max_entries} ({setting})")
    if sum(each.file_size for each in members) > max(SMALL, MAX_RATIO * size):
        raise _too_large(f"unpacks to more than {MAX_RATIO} times its size")


def _too_large(why: str) -> ProcessingFailed:
    return ProcessingFailed(FailureCode.ARCHIVE_TOO_LARGE, why)
