import re
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp
from pydantic import Field

from docstore.application.docstore import Docstore
from docstore.domain.errors import NotFound
from docstore.domain.ids import FileId
from docstore.domain.user import User
from docstore.entrypoints.http.answers import Answer, told
from docstore.entrypoints.http.file_views import (
    FileDetail,
    FileView,
    detail_fields,
    file_etag,
    file_fields,
)
from docstore.entrypoints.http.kept_answers import Kept, KeptAnswers
from docstore.entrypoints.http.operations import Operation, Wake, route
from docstore.entrypoints.http.queries import (
    NUMBER,
    TRUE_OR_FALSE,
    NoQuery,
    Query,
    read_query,
)
from docstore.settings import Settings

MAX_WAIT: Final = 60  # seconds
FILE_ID: Final = {"id": "The file's id."}
# The one spelling of RFC 9562, in either case; Python would also take braces and urn:uuid:.
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Waiting(Query):
    wait: Annotated[float, Field(ge=0, le=MAX_WAIT), NUMBER] = Field(
        0, description="Answer once the file is final, or after that many seconds."
    )


class Retrying(Query):
    force: Annotated[bool, TRUE_OR_FALSE] = Field(
        False, description="Process a processed file again, too."
    )


READ: Final = Operation(
    answers={200: FileDetail}, query=Waiting, refusals=(404, 422), path_parameters=FILE_ID
)
DELETE: Final = Operation(answers={204: None}, refusals=(404, 422), path_parameters=FILE_ID)
RETRY: Final = Operation(
    answers={202: FileView}, query=Retrying, refusals=(404, 409, 422), path_parameters=FILE_ID
)


def file_id(id: FromPath[str]) -> FileId:
    """The id in the path; a malformed one is as unknown as any other."""
    return FileId(uuid_in(id, "file"))


def uuid_in(spelled: str, kind: str) -> UUID:
    """The id; NotFound for what is none."""
    if not _UUID.fullmatch(spelled):
        raise NotFound(kind, spelled)
    return msgspec.convert(spelled, UUID)  # in a quarter of the time of the class itself


@route("GET", "/files/{id:str}", READ)
async def read_file(
    request: Request[User, Any, Any],
    file_id: NamedDependency[FileId],
    docstore: NamedDependency[Docstore],
    settings: NamedDependency[Settings],
    kept: NamedDependency[KeptAnswers],
) -> ASGIApp:
    """A file with its jobs.

    The ETag counts changes by the user and by processing.
    """
    wait = read_query(request, Waiting).wait
    owner = request.user.id
    last = kept.get(owner, file_id) if wait == 0 else None
    if last is not None and await docstore.is_unchanged(
        owner=owner, id=file_id, versions=last.versions
    ):
        return last.answer
    detail = await docstore.wait(owner=owner, id=file_id, seconds=wait)
    fields = detail_fields(detail, settings.http_prefix, settings.max_attempts)
    answer = told(fields, headers={"ETag": file_etag(detail.file)})
    kept.keep(owner, file_id, Kept(answer, detail.versions))
    return answer


@route("DELETE", "/files/{id:str}", DELETE)
async def delete_file(
    request: Request[User, Any, Any],
    file_id: NamedDependency[FileId],
    docstore: NamedDependency[Docstore],
    wake: NamedDependency[Wake],
) -> ASGIApp:
    """Forget a file, with its bytes, renditions, text and jobs."""
    read_query(request, NoQuery)
    await docstore.delete(owner=request.user.id, id=file_id)
    wake()
    return Answer(status=204)


@route("POST", "/files/{id:str}/retry", RETRY)
async def retry_file(
    request: Request[User, Any, Any],
    file_id: NamedDependency[FileId],
    docstore: NamedDependency[Docstore],
    settings: NamedDependency[Settings],
    wake: NamedDependency[Wake],
) -> ASGIApp:
    """Process a failed file once more.

    With `force` a processed one, too. A second press finds it processing: 409.
    """
    force = read_query(request, Retrying).force
    file = await docstore.retry(owner=request.user.id, id=file_id, force=force)
    wake()
    fields = file_fields(file, settings.http_prefix)
    return told(fields, status=202, headers={"ETag": file_etag(file)})
