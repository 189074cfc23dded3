"""gzip, bzip2 and xz: one file, or a tar file, squeezed."""

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final, cast

from docstore.adapters.processors import tar_members
from docstore.adapters.processors.broken import Broken, brokenness
from docstore.adapters.processors.entry import Entry
from docstore.adapters.processors.reading import Members
from docstore.application.ports.processor import Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode

_OPENERS: Final[Mapping[str, Callable[[BinaryIO], object]]] = {
    "application/gzip": lambda body: gzip.GzipFile(fileobj=body),
    "application/x-bzip2": bz2.BZ2File,
    "application/x-xz": lzma.LZMAFile,
}
_ENDINGS: Final = (".gz", ".bz2", ".xz", ".gzip")
_TARS: Final = (".tgz", ".tbz2", ".tbz", ".txz")


def entries(body: BinaryIO, subject: Subject, members: Members) -> Iterator[Entry]:
    try:
        with brokenness():
            yield from _entries(body, subject, members)
    except Broken as error:
        message = f"not a whole file of {subject.media_type}"
        raise ProcessingFailed(FailureCode.CORRUPT, message) from error


def _entries(body: BinaryIO, subject: Subject, members: Members) -> Iterator[Entry]:
    with cast(BinaryIO, _OPENERS[subject.media_type](body)) as opened:
        stream = members.metered(opened)
        head = stream.peek(tar_members.BLOCK)  # type: ignore[attr-defined] # it is buffered
        if tar_members.is_tar(head) or subject.name.lower().endswith(_TARS):
            yield from tar_members.streamed(stream, members)
        else:
            yield _whole(stream, _name(subject.name), members)


def _whole(stream: BinaryIO, name: str, members: Members) -> Entry:
    data = members.hold(stream, whole=False)  # of a long log, the beginning is worth finding
    return Entry(name, len(data or b""), lambda: data)


def _name(name: str) -> str:
    """That of the one file within: nobody tells a better one than who named the upload."""
    ending = next((each for each in _ENDINGS if name.lower().endswith(each)), "")
    return name[: len(name) - len(ending)] or name
