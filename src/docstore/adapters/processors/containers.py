"""Formats that the library does not know, taken apart into such as it does."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode

MAX_CONTENT: Final = 64 * 1024**2  # bytes of XML inflated
MAX_MESSAGES: Final = 1000
MAX_MESSAGE: Final = 16 * 1024**2  # bytes


def opendocument_content(data: bytes) -> bytes:
    """The XML of an OpenDocument's contents."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as file, file.open("content.xml") as member:
            return member.read(MAX_CONTENT)
    except (zipfile.BadZipFile, KeyError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise ProcessingFailed(FailureCode.CORRUPT, "no readable content.xml in it") from error


def messages(data: bytes) -> Iterator[bytes]:
    """The messages of a mailbox (RFC 4155): each begins after a line that starts with "From "."""
    start = 0
    for _ in range(MAX_MESSAGES):
        if start < 0 or start >= len(data):
            return
        following = data.find(b"\nFrom ", start)
        end = len(data) if following < 0 else following + 1
        body = data.find(b"\n", start, end) + 1
        yield data[body : min(end, body + MAX_MESSAGE)].replace(b"\n>From ", b"\nFrom ")
        start = end if following >= 0 else -1
