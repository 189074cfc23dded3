"""Filters of listings as a program writes them: `status="failed", sort="-size"`."""

from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict, TypeVar

from docstore.domain.errors import InvalidField
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.listing import FileQuery, JobQuery, Sort

E = TypeVar("E", bound=StrEnum)


class Filters(TypedDict, total=False):
    """Which files, in which order. Those named together must all hold."""

    status: str
    media_type: str  # one type, or all of a kind: `image/*`
    tag: str
    filename: str  # a part of it, in any case
    uploaded_after: datetime  # from then on; aware
    uploaded_before: datetime  # before then; aware
    q: str  # words that all stand in the name, the title, the description or the tags
    sort: str  # uploaded_at, filename or size; with `-` in front: descending


def file_query(filters: Filters) -> FileQuery:
    """Raises InvalidField."""
    asked: dict[str, Any] = dict(filters)
    if "status" in asked:
        asked["status"] = _one_of(FileStatus, "status", asked["status"])
    if "sort" in asked:
        asked["sort"] = _one_of(Sort, "sort", asked["sort"])
    return FileQuery(**asked)


def job_query(status: str | None) -> JobQuery:
    """Raises InvalidField."""
    return JobQuery(status=None if status is None else _one_of(JobStatus, "status", status))


def _one_of(kind: type[E], field: str, value: str) -> E:
    try:
        return kind(value)
    except ValueError:
        raise InvalidField((field, f"one of {', '.join(kind)}")) from None
