"""Pages and cursors, the same for everything that is listed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from pydantic import Field

from docstore.application.cursors import MAX_CURSOR
from docstore.application.listing import MAX_PAGE_SIZE, Listed, Stretch
from docstore.entrypoints.http.queries import WHOLE, Query

MAX_PAGE: Final = 999_999_999
PAGING: Final = frozenset({"page", "page_size", "cursor", "total"})


class Paged(Query):
    """What part of a listing: a page, or what follows a cursor."""

    page: Annotated[int, Field(ge=1, le=MAX_PAGE), WHOLE] = Field(
        1, description="Not together with cursor."
    )
    page_size: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE), WHOLE] = 20
    cursor: str | None = Field(
        None,
        description="The next_cursor of an answer to the same filters and sort.",
        json_schema_extra={"minLength": 1, "maxLength": MAX_CURSOR},
    )
    total: Literal["exact"] | None = Field(None, description="exact: count beyond 10,000.")

    def wanted(self) -> Stretch:
        return Stretch(
            page=self.page if "page" in self.model_fields_set else None,
            page_size=self.page_size,
            cursor=self.cursor,
            exact=self.total == "exact",
        )


def page_fields(
    query: Paged, found: Listed[Any], items: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """The fields of a PageView, and its items. With a cursor it has no number, and nothing was
    counted."""
    if query.cursor is None:
        counted = {"page": query.page, "page_size": query.page_size, "total": found.total}
    else:
        counted = {"page": None, "page_size": query.page_size}
    return {**counted, "next_cursor": found.next_cursor, "items": items}


def page_links(path: str, query: Paged, found: Listed[Any]) -> str:
    """The stretches around this one, as far as they are known (RFC 8288)."""
    asked = query.model_dump(mode="json", exclude_unset=True, exclude={"page", "cursor"})
    asked = {"page_size": query.page_size, **asked}
    places = _by_cursor(found) if query.cursor is not None else _by_page(query, found)
    return ", ".join(
        f'<{path}?{urlencode({**place, **asked})}>; rel="{relation}"' for relation, place in places
    )


def _by_cursor(found: Listed[Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    yield "first", {}
    if found.next_cursor is not None:
        yield "next", {"cursor": found.next_cursor}


def _by_page(query: Paged, found: Listed[Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    last = None if found.total is None else max(1, -(-found.total // query.page_size))
    is_there = bool(found.items) if last is None else query.page <= last + 1
    yield "first", {"page": 1}
    if query.page > 1 and is_there:
        yield "prev", {"page": query.page - 1}
    if found.next_cursor is not None:
        yield "next", {"page": query.page + 1}
    if last is not None:
        yield "last", {"page": last}
