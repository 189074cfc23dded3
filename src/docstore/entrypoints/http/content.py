"""Downloads: the original with everything that HTTP knows of ranges, and what processing made."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp
from pydantic import ConfigDict, Field

from docstore.application.docstore import Docstore
from docstore.application.reading import Readable
from docstore.domain.errors import NotFound, NotReady
from docstore.domain.ids import FileId
from docstore.domain.names import MediaType
from docstore.domain.user import User
from docstore.entrypoints.http import dispositions, ranges
from docstore.entrypoints.http.answers import Answer
from docstore.entrypoints.http.bodies import AnyRequest
from docstore.entrypoints.http.digests import repr_digest
from docstore.entrypoints.http.files import FILE_ID
from docstore.entrypoints.http.files import file_id as id_in
from docstore.entrypoints.http.operations import Bytes, Operation, route
from docstore.entrypoints.http.queries import TRUE_OR_FALSE, NoQuery, Query, read_query
from docstore.entrypoints.http.streaming import Download

RASTER: Final = frozenset(
    f"image/{kind}"
    for kind in (
        "apng", "avif", "bmp", "gif", "heic", "heif", "jpeg", "png", "tiff", "webp",
        "vnd.microsoft.icon", "x-icon",
    )
)  # fmt: skip
INLINE: Final = RASTER | {"application/pdf", "text/plain"}
"""Types that a browser may show; none of them runs scripts in our origin."""

RENDITIONS: Final = frozenset({"thumbnail", "preview", "resized"})

SANDBOX: Final = "sandbox; default-src 'none'"


class Showing(Query):
    """Other parameters mean nothing here, such as those by which stores let a link set headers."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    disposition: Literal["attachment", "inline"] = Field(
        "attachment", description="inline: raster images, PDF, plain text, audio and video alone."
    )
    redirect: Annotated[bool, TRUE_OR_FALSE] = Field(
        False,
        description="true: a GET of an attachment may be answered by a link to the store, which is "
        "good for a short time; where there is none, by the bytes.",
    )


class ByKey(Query):
    key: str = Field(description="A file's `key` or its id.")


CONTENT: Final = Operation(
    answers={200: Bytes(), 206: Bytes(), 304: None, 307: None},
    query=Showing,
    refusals=(404, 416, 422),
    headers=("Range", "If-Range", "If-None-Match"),
    path_parameters=FILE_ID,
)
TEXT: Final = Operation(
    answers={200: Bytes("text/plain; charset=utf-8")},
    refusals=(404, 409, 422),
    path_parameters=FILE_ID,
)
RENDITION: Final = Operation(
    answers={200: Bytes("image/*")},
    refusals=(404, 409, 422),
    path_parameters={**FILE_ID, "name": "thumbnail, preview or resized."},
)
DOWNLOAD: Final = Operation(answers={200: Bytes("image/*")}, query=ByKey, refusals=(404, 409, 422))


@route("GET", "/files/{id:str}/content", CONTENT)
async def read_content(
    request: Request[User, Any, Any],
    file_id: NamedDependency[FileId],
    docstore: NamedDependency[Docstore],
) -> ASGIApp:
    """The original, in every status; whole, or the bytes that a Range asks for."""
    showing = read_query(request, Showing)
    readable = await docstore.content(owner=request.user.id, id=file_id)
    inline = showing.disposition == "inline"
    answer = original(request, readable, inline=inline)
    if showing.redirect and not inline and request.method == "GET":
        return await elsewhere(readable, instead_of=answer)
    return answer


@route("GET", "/files/{id:str}/text", TEXT)
async def read_text(
    request: Request[User, Any, Any],
    file_id: NamedDependency[FileId],
    docstore: NamedDependency[Docstore],
) -> ASGIApp:
    """All the text that processing found."""
    read_query(request, NoQuery)
    return made(await docstore.text(owner=request.user.id, id=file_id))


@route("GET", "/files/{id:str}/renditions/{name:str}", RENDITION)
async def read_rendition(
    request: Request[User, Any, Any],
    file_id: NamedDependency[FileId],
    name: FromPath[str],
    docstore: NamedDependency[Docstore],
) -> ASGIApp:
    """A picture made from the file."""
    read_query(request, NoQuery)
    try:
        return made(await docstore.rendition(owner=request.user.id, id=file_id, name=name))
    except NotReady:
        if name in RENDITIONS:
            raise
        raise NotFound("rendition", name) from None  # waiting will not make it


@route("GET", "/download", DOWNLOAD)
async def download(
    request: Request[User, Any, Any], docstore: NamedDependency[Docstore]
) -> ASGIApp:
    """The `resized` picture of the caller's file with that key or id."""
    key = read_query(request, ByKey).key
    try:
        by_id = id_in(key)
    except NotFound:
        return made(await docstore.rendition(owner=request.user.id, key=key))
    return made(await docstore.rendition(owner=request.user.id, id=by_id))


def original(request: AnyRequest, readable: Readable, *, inline: bool) -> ASGIApp:
    """The bytes as they were uploaded, if the client lacks them."""
    assert readable.sha256 is not None
    etag = f'"{readable.sha256}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Repr-Digest": repr_digest(readable.sha256),
        "Accept-Ranges": "bytes",
    }
    known = request.headers.get("if-none-match")
    if known is not None and ranges.known(known, etag):
        return Answer(status=304, headers=headers)
    headers |= {
        "Content-Type": readable.media_type,
        "Content-Disposition": dispositions.written(
            readable.file.original_filename, inline=inline and may_be_shown(readable.media_type)
        ),
        "Content-Security-Policy": SANDBOX,
    }
    return Download(readable, headers, _spans(request, etag, readable.size))


async def elsewhere(readable: Readable, *, instead_of: ASGIApp) -> ASGIApp:
    """A redirect to the original in the store, where the bytes would be sent and there is one. As
    an attachment alone: no store sends the headers that make it safe to show what was uploaded.
    """
    if not isinstance(instead_of, Download):
        return instead_of
    name = readable.file.original_filename
    link = await readable.link(disposition=dispositions.written(name))
    if link is None:
        return instead_of
    return Answer(status=307, headers={"Location": link, "Cache-Control": "private, no-store"})


def made(readable: Readable) -> ASGIApp:
    """What processing made of a file, whole."""
    headers = {"Content-Type": readable.media_type, "Content-Security-Policy": SANDBOX}
    return Download(readable, headers)


def may_be_shown(media_type: MediaType) -> bool:
    """Whether a browser may show the type instead of saving it."""
    return media_type in INLINE or media_type.split("/")[0] in ("audio", "video")


def _spans(request: AnyRequest, etag: str, size: int) -> Sequence[ranges.Span]:
    # RFC 9110 14.2: a Range means something for GET alone.
    if request.method != "GET" or not ranges.holds(request.headers.get("if-range"), etag):
        return ()
    return ranges.requested(request.headers.get("range"), size)
