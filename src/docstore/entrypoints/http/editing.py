"""PATCH: what an owner says of a file."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final, cast

from litestar import Request
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from pydantic import BaseModel, ConfigDict, Field

from docstore.application.docstore import Docstore
from docstore.domain.editing import Changes
from docstore.domain.file import MAX_DESCRIPTION, MAX_TAGS, MAX_TITLE
from docstore.domain.ids import FileId
from docstore.domain.names import MAX_NAME
from docstore.domain.user import User
from docstore.entrypoints.http.answers import JSON, told
from docstore.entrypoints.http.bodies import AnyRequest, values_of
from docstore.entrypoints.http.file_views import FileView, file_etag, file_fields
from docstore.entrypoints.http.files import FILE_ID
from docstore.entrypoints.http.json_bodies import content_type, read_json
from docstore.entrypoints.http.operations import Operation, route
from docstore.entrypoints.http.queries import NoQuery, read_query
from docstore.settings import Settings

MERGE_PATCH: Final = "application/merge-patch+json"
_OURS: Final = re.compile(
    r'[ \t]*"([1-9][0-9]{0,18})"[ \t]*'
)  # a strong tag that we could have made
_CLEARED: Final[Mapping[str, Any]] = {"tags": [], "metadata": {}}


class FileChanges(BaseModel):
    """What is to be said of a file from now on. null clears; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"title": "My résumé", "tags": ["career"], "metadata": None}]
        },
    )

    filename: str = Field(
        default_factory=str, json_schema_extra={"minLength": 1, "maxLength": MAX_NAME}
    )
    title: str | None = Field(None, json_schema_extra={"maxLength": MAX_TITLE})
    description: str | None = Field(None, json_schema_extra={"maxLength": MAX_DESCRIPTION})
    tags: list[str] | None = Field(None, json_schema_extra={"maxItems": MAX_TAGS})
    metadata: dict[str, Any] | None = Field(None, description="A JSON object of at most 16 KiB.")

    def changes(self) -> Changes:
        said = {name: getattr(self, name) for name in self.model_fields_set}
        cleared = {name: empty for name, empty in _CLEARED.items() if said.get(name, 0) is None}
        return cast(Changes, {**said, **cleared})


EDIT: Final = Operation(
    body=FileChanges,
    body_types=(JSON, MERGE_PATCH),
    answers={200: FileView},
    refusals=(400, 404, 408, 412, 413, 415, 422),
    headers=("If-Match",),
    answer_headers=("ETag",),
    path_parameters=FILE_ID,
)


@route("PATCH", "/files/{id:str}", EDIT)
async def edit_file(
    request: Request[User, Any, Any],
    file_id: NamedDependency[FileId],
    docstore: NamedDependency[Docstore],
    settings: NamedDependency[Settings],
) -> ASGIApp:
    """Change the name, title, description, tags or metadata of a file.

    null clears. With If-Match, the ETag of GET /files/{id}: 412 when the file has changed since,
    by its owner or by processing. Without it the changes are made to the file as it is then. In a
    body of application/merge-patch+json `metadata` is merged (RFC 7396), else it is replaced.
    """
    read_query(request, NoQuery)
    await docstore.get(owner=request.user.id, id=file_id)  # nobody's file needs no body
    sent = await read_json(request, FileChanges, settings.receive_timeout, types=EDIT.body_types)
    file = await docstore.edit(
        owner=request.user.id,
        id=file_id,
        changes=sent.changes(),
        merge=content_type(request) == MERGE_PATCH and sent.metadata is not None,
        versions=versions_in(request),
    )
    return told(file_fields(file, settings.http_prefix), headers={"ETag": file_etag(file)})


def versions_in(request: AnyRequest) -> Collection[int] | None:
    """The versions that If-Match names; None when any will do. A weak tag, and what is no tag of
    ours, names none (RFC 9110 13.1.1)."""
    values = values_of(request, "if-match")
    sent = ",".join(values)
    if not values or sent.strip() == "*":
        return None
    matches = (_OURS.fullmatch(tag) for tag in sent.split(","))
    return frozenset(int(match[1]) for match in matches if match)
