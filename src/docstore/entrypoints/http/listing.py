"""The caller's files in pages or by cursor, filtered, sorted, searched."""

from datetime import datetime
from typing import Annotated, Any, Final

from litestar import Request
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from pydantic import Field

from docstore.application.docstore import Docstore
from docstore.domain.file import MAX_TAG
from docstore.domain.lifecycle import FileStatus
from docstore.domain.listing import MAX_QUERY, FileQuery, Sort
from docstore.domain.names import MAX_NAME
from docstore.domain.user import User
from docstore.entrypoints.http.answers import told
from docstore.entrypoints.http.file_views import FilePage, found_fields
from docstore.entrypoints.http.operations import Operation, route
from docstore.entrypoints.http.paging import PAGING, Paged, page_fields, page_links
from docstore.entrypoints.http.queries import MOMENT, read_query
from docstore.settings import Settings


class Listing(Paged):
    # What these may be is the domain's business; the document only repeats it.
    status: FileStatus | None = None
    media_type: str | None = Field(None, description="One type, or all of a kind: image/*.")
    tag: str | None = Field(
        None,
        description="A tag, as it is.",
        json_schema_extra={"minLength": 1, "maxLength": MAX_TAG},
    )
    filename: str | None = Field(
        None,
        description="A part of the name, in any case.",
        json_schema_extra={"minLength": 1, "maxLength": MAX_NAME},
    )
    uploaded_after: Annotated[datetime | None, MOMENT] = Field(
        None, description="From then on.", examples=["2026-01-02T03:04:05Z"]
    )
    uploaded_before: Annotated[datetime | None, MOMENT] = Field(
        None, description="Before then.", examples=["2026-01-02T03:04:05Z"]
    )
    q: str | None = Field(
        None,
        description="Words that all stand, whole or in part, in the name, the title, the "
        "description or the tags. Each item then has a highlight.",
        json_schema_extra={"minLength": 1, "maxLength": MAX_QUERY},
    )
    sort: Sort = Field(Sort.NEWEST, description="With - in front: descending.")

    def asked(self) -> FileQuery:
        return FileQuery(**self.model_dump(exclude=set(PAGING)))


LIST: Final = Operation(
    answers={200: FilePage}, query=Listing, refusals=(422,), answer_headers=("Link",)
)


@route("GET", "/files", LIST)
async def list_files(
    request: Request[User, Any, Any],
    docstore: NamedDependency[Docstore],
    settings: NamedDependency[Settings],
) -> ASGIApp:
    """The caller's files, newest first unless `sort` says otherwise.

    By `page`, or by `cursor`: following `next_cursor` meets nothing twice and misses nothing that
    is there all the while, whatever is uploaded and deleted meanwhile. `total` is exact up to
    10,000 and null beyond, unless `total=exact` asks to count on; with a cursor it is absent.
    """
    query = read_query(request, Listing)
    asked = query.asked()
    found = await docstore.list(owner=request.user.id, query=asked, wanted=query.wanted())
    prefix = settings.http_prefix
    words = asked.words
    items = [found_fields(file, prefix, words) for file in found.items]
    links = page_links(f"{prefix}/files", query, found)
    return told(page_fields(query, found, items), headers={"Link": links})
