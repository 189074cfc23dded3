"""The members of a zip file (APPNOTE.TXT), by its directory."""

import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO, Final, cast

from docstore.adapters.processors import zip_directory
from docstore.adapters.processors.broken import Broken, brokenness
from docstore.adapters.processors.entry import Entry
from docstore.adapters.processors.plain_text import decode
from docstore.adapters.processors.reading import Encrypted, Members
from docstore.application.ports.processor import Subject

IS_ENCRYPTED: Final = 0x1  # 4.4.4, bit 0
IS_UTF8: Final = 0x800  # bit 11


def entries(body: BinaryIO, subject: Subject, members: Members) -> Iterator[Entry]:
    with zip_directory.opened(body, subject.size, members.options.max_archive_entries) as file:
        infos = file.infolist()
        for name, info in zip(_names(infos), infos, strict=True):
            # Not is_dir(), which fails at a member without a name.
            is_folder = info.filename.endswith("/")
            read = None if is_folder else partial(_read, file, info, members)
            yield Entry(name, info.file_size, read)


def part(file: zipfile.ZipFile, name: str, members: Members) -> bytes:
    """The member of that name; nothing when there is none, or none that can be read."""
    try:
        return _read(file, file.getinfo(name), members) or b""
    except (KeyError, Encrypted):
        return b""


def _read(file: zipfile.ZipFile, info: zipfile.ZipInfo, members: Members) -> bytes | None:
    if info.flag_bits & IS_ENCRYPTED:
        raise Encrypted(info.filename)
    try:
        with brokenness(), file.open(info) as stream:
            return members.inflate(cast(BinaryIO, stream))
    except Broken:
        members.warn("partial", f"some members could not be unpacked, such as {info.filename!r}")
        return None


def _names(infos: Sequence[zipfile.ZipInfo]) -> Sequence[str]:
    """Python takes names that are not said to be UTF-8 for code page 437, which few of them are."""
    old = [each for each in infos if not each.flag_bits & IS_UTF8]
    try:
        together = b"\n".join(each.orig_filename.encode("cp437") for each in old)
    except UnicodeEncodeError:
        return [each.filename for each in infos]
    decoded = decode(together).split("\n")
    if len(decoded) != len(old):
        return [each.filename for each in infos]
    better = dict(zip(map(id, old), decoded, strict=True))
    return [better.get(id(each), each.filename) for each in infos]
