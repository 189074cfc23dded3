"""Values as they stand in the file: those of SQLAlchemy's own types for SQLite, in fewer steps."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from docstore.adapters.persistence.sql import sqlite


def written_moment(value: datetime | None) -> str | None:
    """In UTC, to the microsecond, without its zone: what has the same length sorts by time."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return value.astimezone(UTC).isoformat(" ", "microseconds")[:-6]


def written_json(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """As `convert` writes it, which takes as long for nothing as for a little; most rows have
    nothing in most of their columns.
    """

    def written(value: Any) -> Any:
        if not value:
            if type(value) is list:
                return "[]"
            if type(value) is dict:
                return "{}"
        return convert(value)

    return written


def read_moment(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


def read_uuid(text: str) -> UUID:
    """From its 32 digits. Not by the class itself, which takes twice as long."""
    return msgspec.convert(text, UUID)


def read_json(text: str) -> Any:
    """What msgspec finds is what the standard library does, in a quarter of the time; it refuses
    the few things that are no JSON and that the library writes all the same.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return sqlite.read_json(text)
