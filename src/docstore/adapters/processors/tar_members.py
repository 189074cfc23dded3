"""The members of a tar file, one after another."""

import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import BinaryIO, Final, Literal, TypeAlias, cast

from docstore.adapters.processors.broken import Broken, brokenness
from docstore.adapters.processors.entry import Entry
from docstore.adapters.processors.reading import Members
from docstore.application.ports.processor import Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode

BLOCK: Final = 512  # bytes; POSIX.1-2017, ustar interchange format
_MAGIC_AT: Final = slice(257, 262)
_Take: TypeAlias = Callable[[BinaryIO], bytes | None]


def is_tar(head: bytes) -> bool:
    return head[_MAGIC_AT] == b"ustar"


def entries(body: BinaryIO, subject: Subject, members: Members) -> Iterator[Entry]:
    """Of a file on which seeking is free."""
    yield from _entries(body, "r:", members, members.inflate)


def streamed(body: BinaryIO, members: Members) -> Iterator[Entry]:
    """Of one that unpacks as it is read. Each entry has to be read before the next is asked for."""
    yield from _entries(body, "r|", members, members.hold)


def _entries(
    body: BinaryIO, mode: Literal["r:", "r|"], members: Members, take: _Take
) -> Iterator[Entry]:
    found = False
    try:
        with brokenness(), tarfile.open(fileobj=body, mode=mode, errorlevel=0) as file:
            for info in file:
                found = True
                read = partial(_read, file, info, take) if info.isreg() else None
                yield Entry(_name(info), info.size, read)
                file.members.clear()  # type: ignore[attr-defined] # it would remember them all
    except Broken as error:
        if not found:
            raise ProcessingFailed(FailureCode.CORRUPT, "not a tar file") from error
        members.warn("partial", "the archive is broken after some members")


def _read(file: tarfile.TarFile, info: tarfile.TarInfo, take: _Take) -> bytes | None:
    stream = file.extractfile(info)
    if stream is None:
        return None
    with suppress(Broken), brokenness(), stream:
        return take(cast(BinaryIO, stream))
    return None  # the next entry will say that it is broken


def _name(info: tarfile.TarInfo) -> str:
    return info.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
