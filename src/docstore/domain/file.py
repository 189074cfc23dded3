import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Self

from docstore.domain.editing import Changes
from docstore.domain.errors import InvalidField
from docstore.domain.failure import Failure
from docstore.domain.findings import Json, Notice, Outcome, Rendition
from docstore.domain.ids import FileId, UserId
from docstore.domain.lifecycle import FILE, Action, FileStatus, after
from docstore.domain.names import OCTET_STREAM, FileName, MediaType, file_name

MAX_TITLE: Final = 255  # characters
MAX_DESCRIPTION: Final = 10_000  # characters
MAX_TAGS: Final = 50
MAX_TAG: Final = 64  # characters
MAX_METADATA: Final = 16 * 1024  # bytes of JSON
MAX_METADATA_DEPTH: Final = 64  # objects and lists in one another
# JSON's spelling of it; after an odd number of backslashes the same six characters are text.
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


FIXED: Final = frozenset(
    {"id", "user_id", "key", "size", "sha256", "declared_media_type", "uploaded_at"}
)
"""Fields of a File that no change of it touches: a store writes them once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What an owner says about a file. InvalidField names every field that breaks a rule."""

    title: str | None = None
    description: str | None = None
    tags: Sequence[str] = ()
    metadata: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if problems := list(self._problems()):
            raise InvalidField(*problems)

    @classmethod
    def kept(
        cls,
        title: str | None,
        description: str | None,
        tags: Sequence[str],
        metadata: Mapping[str, Json],
    ) -> Self:
        """What was accepted once, and is not looked at again: for whoever keeps it."""
        details = object.__new__(cls)
        fields = (("title", title), ("description", description), ("tags", tags))
        for name, value in (*fields, ("metadata", metadata)):
            object.__setattr__(details, name, value)
        return details

    def _problems(self) -> Sequence[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        texts = {
            "title": (self.title, MAX_TITLE),
            "description": (self.description, MAX_DESCRIPTION),
        }
        for name, (text, limit) in texts.items():
            if text is not None and (why := _wrong_text(text, limit)):
                found.append((name, why))
        if len(self.tags) > MAX_TAGS:
            found.append(("tags", f"more than {MAX_TAGS} tags"))
        for tag in self.tags[:MAX_TAGS]:
            if why := "an empty tag" if not tag else _wrong_text(tag, MAX_TAG):
                found.append(("tags", why))
                break
        if why := _wrong_metadata(self.metadata):
            found.append(("metadata", why))
        return found


def _wrong_text(text: str, limit: int) -> str | None:
    if len(text) > limit:
        return f"more than {limit} characters"
    if "\x00" in text:
        return "a NUL character"
    if any("\ud800" <= c <= "\udfff" for c in text):
        return "a lone surrogate"
    return None


def _wrong_metadata(metadata: Mapping[str, Json]) -> str | None:
    if metadata == {}:
        return None  # as most are
    try:
        dumped = json.dumps(metadata, allow_nan=False)
        size = len(json.dumps(metadata, ensure_ascii=False).encode())
    except (ValueError, TypeError, RecursionError):
        return "not a JSON object"
    if _NUL.search(dumped):
        return "a NUL character"
    if size > MAX_METADATA:
        return f"more than {MAX_METADATA} bytes of JSON"
    if _is_deeper(metadata, MAX_METADATA_DEPTH):
        return f"more than {MAX_METADATA_DEPTH} objects and lists in one another"
    return None


def _is_deeper(value: Json, depth: int) -> bool:
    """Without recursion of more than `depth`: what is too deep for one reader is so for another."""
    if not isinstance(value, (Mapping, list, tuple)):
        return False
    inner = value.values() if isinstance(value, Mapping) else value
    return depth == 0 or any(_is_deeper(each, depth - 1) for each in inner)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One uploaded document. A change makes a new File; `version` orders them."""

    id: FileId
    user_id: UserId
    original_filename: FileName
    size: int  # bytes
    sha256: str  # hex
    media_type: MediaType  # from the bytes, never from the client
    declared_media_type: MediaType = OCTET_STREAM
    key: str  # opaque, public, stable; never a storage path
    storage_path: str  # key of the original in the blob store
    uploaded_at: datetime  # aware, UTC
    updated_at: datetime
    processed_at: datetime | None = None
    details: Details = field(default_factory=Details)
    status: FileStatus = FileStatus.UPLOADED
    generation: int = 1  # of the latest job that processes it
    extracted: Mapping[str, Json] | None = None  # column `extracted_data`
    text_key: str | None = None
    renditions: Sequence[Rendition] = ()
    warnings: Sequence[Notice] = ()
    failure: Failure | None = None  # set exactly while FAILED
    version: int = 1

    def start(self, now: datetime) -> Self:
        """The first attempt begins."""
        return self._move(Action.START, now)

    def succeed(self, outcome: Outcome, *, storage_path: str, now: datetime) -> Self:
        """What processing found, and where the original lies from now on."""
        return replace(
            self._move(Action.SUCCEED, now),
            extracted=outcome.extracted,
            text_key=outcome.text_key,
            renditions=tuple(outcome.renditions),
            warnings=tuple(outcome.warnings),
            media_type=outcome.media_type or self.media_type,
            storage_path=storage_path,
            processed_at=now,
        )

    def fail(self, failure: Failure, *, now: datetime) -> Self:
        """Given up. What an earlier generation found stays readable."""
        return replace(self._move(Action.FAIL, now), failure=failure)

    def again(self, *, force: bool, now: datetime) -> Self:
        """A retry by hand (a FAILED file) or, with `force`, a reprocessing (a PROCESSED one)."""
        reprocess = force and self.status is FileStatus.PROCESSED
        moved = self._move(Action.REPROCESS if reprocess else Action.RETRY, now)
        return replace(moved, generation=self.generation + 1)

    def edit(self, changes: Changes, *, now: datetime) -> Self:
        """What the owner says of it from now on; the same File when that is nothing new.

        Raises InvalidField. Processing is neither disturbed nor asked for.
        """
        said: dict[str, Any] = {**changes}
        name = file_name(said.pop("filename")) if "filename" in said else self.original_filename
        if "tags" in said:
            said["tags"] = tuple(said["tags"])
        details = replace(self.details, **said)
        if (name, details) == (self.original_filename, self.details):
            return self
        return replace(
            self,
            original_filename=name,
            details=details,
            updated_at=now,
            version=self.version + 1,
        )

    def regenerated(self, *, now: datetime) -> Self:
        """The same status under a new generation: its job was lost and is made again."""
        return replace(
            self, generation=self.generation + 1, updated_at=now, version=self.version + 1
        )

    def blob_keys(self) -> frozenset[str]:
        """Every blob that this row names."""
        text = {self.text_key} if self.text_key else set()
        return frozenset({self.storage_path, *text, *(r.key for r in self.renditions)})

    def may_use(self, key: str) -> bool:
        """Whether `key`, one of this file's, is in use or may come to be.

        While a file is not final an attempt may be writing keys that the row does not name yet.
        """
        return not self.status.is_final or key in self.blob_keys()

    def _move(self, action: Action, now: datetime) -> Self:
        status = after(FILE, self.status, action)
        return replace(self, status=status, failure=None, updated_at=now, version=self.version + 1)
