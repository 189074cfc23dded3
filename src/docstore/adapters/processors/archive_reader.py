"""Archives: what they hold, and the text of it. Nothing is written to a disk, so that a member's
name is a text and nothing else, whatever path it spells.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final

from docstore.adapters.processors import compressed, seven_zip, tar_members, zip_members
from docstore.adapters.processors.entry import Entry
from docstore.adapters.processors.prose import clean
from docstore.adapters.processors.reading import Encrypted, Exhausted, Members, Reading, Unlisted
from docstore.application.ports.processor import Subject
from docstore.domain.names import MediaType

NAMES: Final = 1000  # that the facts list
MAX_NAME: Final = 255  # characters of each

_Kind = Callable[[BinaryIO, Subject, Members], Iterator[Entry]]
KINDS: Final[Mapping[str, _Kind]] = {
    "application/gzip": compressed.entries,
    "application/java-archive": zip_members.entries,
    "application/vnd.android.package-archive": zip_members.entries,
    "application/vnd.google-earth.kmz": zip_members.entries,
    "application/x-7z-compressed": seven_zip.entries,
    "application/x-bzip2": compressed.entries,
    "application/x-tar": tar_members.entries,
    "application/x-xz": compressed.entries,
    "application/zip": zip_members.entries,
}


def accepts(media_type: MediaType) -> bool:
    return media_type in KINDS


def read(body: BinaryIO, subject: Subject, members: Members) -> Reading:
    """Raises ProcessingFailed for a bomb, and for what is no archive from the start. Of what cannot
    be listed there are no facts, which is not the same as an archive without entries.
    """
    listing = _Listing()
    try:
        listing.fill(KINDS[subject.media_type](body, subject, members), members)
    except Unlisted:
        return Reading("")
    return Reading("\n\n".join(listing.texts), archive=listing.facts)


class _Listing:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self._names: list[str] = []
        self._entries = 0
        self._size = 0

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"entries": self._entries, "names": self._names, "unpacked_bytes": self._size}

    def fill(self, entries: Iterable[Entry], members: Members) -> None:
        """What no more may be read of is still listed, unless listing means unpacking."""
        reading = True
        try:
            for entry in entries:
                members.count()
                text, reading = _text(entry, members, reading)
                self._add(entry, text)
        except Exhausted:
            return

    def _add(self, entry: Entry, text: str) -> None:
        self._entries += 1
        self._size += max(0, entry.size)
        self.texts.append(text)
        if len(self._names) < NAMES:
            self._names.append(clean(entry.name)[:MAX_NAME])


def _text(entry: Entry, members: Members, reading: bool) -> tuple[str, bool]:
    """What the entry adds to the archive's text, and whether more may be read."""
    if not reading or entry.read is None:
        return "\n".join(filter(None, (entry.name, entry.text))), reading
    try:
        data = entry.read()
    except Exhausted:
        return entry.name, False
    except Encrypted:
        members.warn("encrypted", f"some members take a password to read, such as {entry.name!r}")
        data = None
    return (entry.name if data is None else members.text(entry.name, data)), True
