"""The facts that `extracted.document` holds, out of a library's metadata."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from docstore.adapters.processors.prose import clean
from docstore.domain.findings import Json

MAX_VALUE: Final = 500  # characters
MAX_LIST: Final = 50
FIRST_YEAR: Final = 1970
"""Nothing earlier was written by a program; the zero of some clock is 1601, of another 1904."""


def document_facts(metadata: Mapping[str, Any]) -> Mapping[str, Json]:
    """The four that are always there, then what else is known."""
    facts: dict[str, Json] = {
        "pages": _pages(metadata),
        "title": _line(metadata.get("title") or metadata.get("subject")),
        "author": _line(", ".join(_lines(metadata.get("authors"))) or metadata.get("from_email")),
        "created_at": _time(metadata.get("created_at")),
    }
    more: dict[str, Json] = {
        "modified_at": _time(metadata.get("modified_at")),
        "subject": _line(metadata.get("subject")),
        "keywords": _lines(metadata.get("keywords")),
        "program": _line(metadata.get("producer") or metadata.get("application")),
        "sheets": _lines(metadata.get("sheet_names")),
        "recipients": _lines(metadata.get("to_emails")),
        "attachments": _lines(metadata.get("attachments")),
    }
    return facts | {name: value for name, value in more.items() if value}


def _pages(metadata: Mapping[str, Any]) -> int | None:
    structure = metadata.get("pages")
    total = structure.get("total_count") if isinstance(structure, Mapping) else None
    for count in (metadata.get("page_count"), metadata.get("slide_count"), total):
        if isinstance(count, int) and count > 0:
            return count
    return None


def _line(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join(clean(value).split())[:MAX_VALUE] or None


def _lines(value: object) -> Sequence[str]:
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, Sequence):
        return ()
    return [line for each in value[:MAX_LIST] if (line := _line(each))]


def _time(value: object) -> str | None:
    """RFC 3339 in UTC. A time without a zone is taken for UTC, since nobody knows better."""
    if not isinstance(value, str):
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(ValueError, TypeError, OverflowError):
            moment = parse(value)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
            moment = moment.astimezone(UTC).replace(microsecond=0)
            if moment.year >= FIRST_YEAR:
                return moment.isoformat().replace("+00:00", "Z")
    return None
