"""Upload: a form of one or many files, or a body that is the file. Both become Parts."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Protocol

from litestar import Request
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from multipart import parse_options_header
from pydantic import Field

from docstore.application.docstore import Docstore
from docstore.application.metering import Meter
from docstore.application.repeating import Once
from docstore.application.uploading import Part
from docstore.domain.errors import InvalidField, Malformed, TooLarge
from docstore.domain.file import MAX_DESCRIPTION, MAX_TAGS, MAX_TITLE, Details, File
from docstore.domain.idempotency import idempotency_key
from docstore.domain.names import MAX_NAME
from docstore.domain.user import User
from docstore.entrypoints.http import dispositions
from docstore.entrypoints.http.answers import Answer, told
from docstore.entrypoints.http.bodies import (
    AnyRequest,
    announced_length,
    capped,
    only,
    received,
)
from docstore.entrypoints.http.digests import sent_digests
from docstore.entrypoints.http.exchange import note_stored
from docstore.entrypoints.http.file_views import (
    FileView,
    FileViews,
    file_etag,
    file_fields,
    file_href,
)
from docstore.entrypoints.http.forms import Form, boundary_of
from docstore.entrypoints.http.json_bodies import refuse_encoding
from docstore.entrypoints.http.operations import Operation, UploadBody, Wake, route
from docstore.entrypoints.http.queries import NoQuery, Query, read_query
from docstore.entrypoints.http.rate_limits import FIELDS as RATE_LIMIT
from docstore.entrypoints.http.rate_limits import Allowance
from docstore.settings import Settings

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
SETTING: Final = "DOCSTORE_MAX_UPLOAD_BYTES"
FORM_OVERHEAD: Final = 1024 * 1024  # bytes of a form that are not files


class RawQuery(Query):
    """What a raw body says about itself beside its headers."""

    # What these may be is the domain's business; the document only repeats it.
    filename: str | None = Field(None, json_schema_extra={"minLength": 1, "maxLength": MAX_NAME})
    title: str | None = Field(None, json_schema_extra={"maxLength": MAX_TITLE})
    description: str | None = Field(None, json_schema_extra={"maxLength": MAX_DESCRIPTION})
    tags: list[str] = Field(default_factory=list, json_schema_extra={"maxItems": MAX_TAGS})


class Sent(Protocol):
    """What an upload's request carries, whichever way it does."""

    def parts(self) -> AsyncGenerator[Part, None]: ...
    def details(self) -> Details: ...


UPLOAD: Final = Operation(
    body=UploadBody(),
    query=RawQuery,
    answers={201: FileView | FileViews},
    refusals=(400, 408, 409, 413, 415, 422, 429, 507),
    headers=("Repr-Digest", "Content-Digest", "Content-Disposition", IDEMPOTENCY_KEY),
    constant_headers=RATE_LIMIT,
)


@route("POST", ["/files", "/upload"], UPLOAD)
async def upload(
    request: Request[User, Any, Any],
    docstore: NamedDependency[Docstore],
    settings: NamedDependency[Settings],
    wake: NamedDependency[Wake],
) -> ASGIApp:
    """Store one file or many.

    All or nothing: the answer is sent when bytes, metadata and the job that will process each
    file are durable, and a refusal keeps nothing. With an Idempotency-Key the same request, sent
    again within 24 hours, gets the first answer again, whatever has become of the files since.
    """
    allowance = Allowance(request, docstore.upload_guard)
    await allowance.take_one()  # a request that is refused counts, too
    once = repeatable(request)
    sent = sent_in(request, settings)
    async with aclosing(allowance.after_the_first(sent.parts())) as parts:
        files = await docstore.upload(
            owner=request.user.id, parts=parts, details=sent.details, once=once
        )
    note_stored(request.scope, files)
    wake()
    return created(files, settings.http_prefix, many=len(files) > 1)


def repeatable(request: AnyRequest) -> Once | None:
    """What the Idempotency-Key stands for; None without one, Malformed for what is none."""
    key = only(request, IDEMPOTENCY_KEY.lower())
    if key is None:
        return None
    return Once(
        key=idempotency_key(key),
        route=request.scope["path_template"],
        query=request.scope["query_string"].decode("latin-1"),
    )


def created(files: Sequence[File], prefix: str, *, many: bool) -> Answer:
    """201 with the file and where it is, or with all of them."""
    if many:
        return told({"items": [file_fields(file, prefix) for file in files]}, status=201)
    (file,) = files
    headers = {"Location": file_href(file.id, prefix), "ETag": file_etag(file)}
    return told(file_fields(file, prefix), status=201, headers=headers)


def sent_in(request: AnyRequest, settings: Settings) -> Sent:
    """The parts that a request is about to bring. Not a byte of its body is read yet, so that
    what can be refused by its headers is refused before a client sends it."""
    refuse_encoding(request)
    declared = only(request, "content-type")
    if parse_options_header(declared or "")[0] == "multipart/form-data":
        return form_in(request, declared or "", settings)
    return raw_in(request, declared, settings)


def form_in(request: AnyRequest, declared: str, settings: Settings) -> Form:
    """A form, of which a digest in the request's headers covers the whole body."""
    read_query(request, NoQuery)
    limit = settings.max_upload_files * settings.max_upload_bytes + FORM_OVERHEAD
    _refuse_longer(request, limit)
    boundary = boundary_of(declared)
    digests = sent_digests(request)
    body = received(request, settings.receive_timeout)
    if digests:
        return Form(aiter(Meter(body, limit, SETTING, digests)), boundary)
    return Form(capped(body, limit, SETTING), boundary)


@dataclass(frozen=True, slots=True)
class Raw:
    """A body that is one file."""

    part: Part
    said: Details

    async def parts(self) -> AsyncGenerator[Part, None]:
        yield self.part

    def details(self) -> Details:
        return self.said


def raw_in(request: AnyRequest, declared: str | None, settings: Settings) -> Raw:
    """A body that is the file; what is said of it stands in the headers and the query."""
    query = read_query(request, RawQuery)
    _refuse_longer(request, settings.max_upload_bytes)
    part = Part(
        name=_name(request) or query.filename or "",
        body=received(request, settings.receive_timeout),
        declared_media_type=declared,
        digests=sent_digests(request),
    )
    details = Details(title=query.title, description=query.description, tags=tuple(query.tags))
    return Raw(part, details)


def _name(request: AnyRequest) -> str | None:
    values = [v for name, v in request.scope["headers"] if name == b"content-disposition"]
    if len(values) > 1:
        raise Malformed("content-disposition is repeated")
    return dispositions.file_name(values[0]) if values else None


def _refuse_longer(request: AnyRequest, limit: int) -> None:
    length = announced_length(request)
    if length is not None and length > limit:
        raise TooLarge(limit, SETTING)
    if length == 0:
        raise InvalidField(("file", "the body is empty"))
