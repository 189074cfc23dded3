"""What is asked of a listing: which files or jobs, in which order, from which place on."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Final, TypeAlias
from uuid import UUID

from docstore.domain.errors import InvalidField
from docstore.domain.file import MAX_TAG, File
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.names import MAX_NAME
from docstore.domain.searching import folded, searchable, words_of

MAX_QUERY: Final = 1000  # characters
MAX_WORDS: Final = 32
_MEDIA_TYPES: Final = re.compile(r"[\w!#$&^.+-]{1,127}/(\*|[\w!#$&^.+-]{1,127})", re.ASCII)

SortValue: TypeAlias = "datetime | str | int"


class Sort(StrEnum):
    """What a listing of files is ordered by; files that are equal in it go by their ids."""

    NEWEST = "-uploaded_at"
    OLDEST = "uploaded_at"
    BY_NAME = "filename"  # by code point, as it is written
    BY_NAME_DESCENDING = "-filename"
    SMALLEST = "size"
    LARGEST = "-size"

    @property
    def is_descending(self) -> bool:
        return self.startswith("-")

    @property
    def field(self) -> str:
        return self.removeprefix("-")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a listing, also once it is gone: its value in the order, its id."""

    value: SortValue
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class FileQuery:
    """Which of an owner's files, in which order. InvalidField names all that cannot be asked."""

    status: FileStatus | None = None
    media_type: str | None = None  # one type, or all of a kind: `image/*`
    tag: str | None = None  # as it was written
    filename: str | None = None  # a part of it, in any case
    uploaded_after: datetime | None = None  # from then on; aware
    uploaded_before: datetime | None = None  # before then; aware
    q: str | None = None  # words that all stand in the name, the title, the description or a tag
    sort: Sort = Sort.NEWEST

    def __post_init__(self) -> None:
        if problems := list(self._problems()):
            raise InvalidField(*problems)
        for name in ("uploaded_after", "uploaded_before"):
            if moment := getattr(self, name):  # one instant, one spelling
                object.__setattr__(self, name, moment.astimezone(UTC))
        if self.media_type:
            object.__setattr__(self, "media_type", self.media_type.lower())

    def _problems(self) -> Iterable[tuple[str, str]]:
        limits = {"tag": MAX_TAG, "filename": MAX_NAME, "q": MAX_QUERY}
        for name, limit in limits.items():
            text = getattr(self, name)
            if text is not None and (why := _wrong_text(text, limit)):
                yield name, why
        if self.q is not None and not 1 <= len(self.words) <= MAX_WORDS:
            yield "q", f"1 to {MAX_WORDS} words"
        if self.media_type is not None and not _MEDIA_TYPES.fullmatch(self.media_type):
            yield "media_type", "a media type such as image/png or image/*"
        for name in ("uploaded_after", "uploaded_before"):
            moment = getattr(self, name)
            if moment is not None and not _is_instant(moment):
                yield name, "a time with its zone, of the years 1 to 9999 in UTC"

    @property
    def words(self) -> Sequence[str]:
        """The words of `q`, folded."""
        return words_of(self.q or "")

    @property
    def takes_all(self) -> bool:
        """Whether it leaves nothing out."""
        return self == of_status(None, self.sort)

    def takes(self, file: File) -> bool:
        """Whether `file` is one of those asked for."""
        after, before = self.uploaded_after, self.uploaded_before
        return (
            self.status in (None, file.status)
            and _is_of(file.media_type, self.media_type)
            and (self.tag is None or self.tag in file.details.tags)
            and (self.filename is None or folded(self.filename) in folded(file.original_filename))
            and (after is None or file.uploaded_at >= after)
            and (before is None or file.uploaded_at < before)
            and all(word in searchable(file) for word in self.words)
        )

    def place_of(self, file: File) -> Place:
        values: dict[str, SortValue] = {
            "uploaded_at": file.uploaded_at,
            "filename": file.original_filename,
            "size": file.size,
        }
        return Place(values[self.sort.field], file.id)


@cache
def of_status(status: FileStatus | None, sort: Sort) -> FileQuery:
    """All files of one status, or of any."""
    return FileQuery(status=status, sort=sort)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which of an owner's jobs, newest first."""

    status: JobStatus | None = None


ALL_FILES: Final = FileQuery()
ALL_JOBS: Final = JobQuery()


def _wrong_text(text: str, limit: int) -> str | None:
    if not 1 <= len(text) <= limit:
        return f"1 to {limit} characters"
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        return "a NUL character or a lone surrogate"
    return None


def _is_instant(moment: datetime) -> bool:
    try:
        return moment.tzinfo is not None and bool(moment.astimezone(UTC))
    except OverflowError:  # before the year 1, or after 9999
        return False


def _is_of(media_type: str, asked: str | None) -> bool:
    if asked is None or media_type == asked:
        return True
    return asked.endswith("/*") and media_type.startswith(asked[:-1])
