"""7z, unpacked and read by the library for documents: what is kept in Python writes to disk."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from docstore.adapters.processors import kreuzberg_reader
from docstore.adapters.processors.entry import Entry
from docstore.adapters.processors.reading import Encrypted, Members, Unlisted
from docstore.application.ports.processor import Subject

MAX_SIZE: Final = 64 * 1024**2  # bytes; the library holds all of it, packed and unpacked


def entries(body: BinaryIO, subject: Subject, members: Members) -> Iterator[Entry]:
    """Raises Unlisted where the library lists nothing, which is when it unpacks nothing."""
    if subject.size > MAX_SIZE:
        members.warn("partial", f"a 7z file of more than {MAX_SIZE} bytes is not unpacked")
        raise Unlisted
    try:
        depth = members.options.max_archive_depth
        contents = kreuzberg_reader.contents(body.read(), subject.media_type, depth)
    except Encrypted as error:
        members.warn("encrypted", "it takes a password to read the archive")
        raise Unlisted from error
    for name, size, text in contents:
        yield Entry(name, size, text=text)
