"""Problems: what is told in an answer, and a short page for every type of them."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from litestar.params import FromPath
from litestar.types import ASGIApp

from docstore.domain.errors import NotFound
from docstore.entrypoints.http.answers import Answer
from docstore.entrypoints.http.operations import Bytes, Operation, route

METHOD_NOT_ALLOWED: Final = "method-not-allowed"

RETRY_AFTER: Final = 5  # seconds, when nothing better is known

PAGES: Final[Mapping[str, tuple[str, str]]] = {
    "internal-error": (
        "Something went wrong on our side",
        "Nothing about the request is known to be wrong. The operator finds what happened by the "
        "trace_id in the log.",
    ),
    "invalid-input": (
        "The request cannot be understood",
        "Change the request; `detail` says what is wrong with it.",
    ),
    "malformed-request": (
        "The request is malformed",
        "The body, the query or a header is not what it says it is: broken or ambiguous JSON, a "
        "form that is cut short, a digest that is none. Send it again, whole and well-formed.",
    ),
    "digest-mismatch": (
        "The bytes received are not the bytes announced",
        "The digest in Repr-Digest or Content-Digest is not that of the bytes that arrived. "
        "Nothing was kept; send them again.",
    ),
    "invalid-field": (
        "A field is not acceptable",
        "`errors` names each field and what it takes.",
    ),
    "too-large": (
        "The body is too large",
        "`max_bytes` is the most that is accepted here. Nothing was kept.",
    ),
    "too-many-parts": (
        "The form has too many parts",
        "Send fewer parts in one form. Nothing was kept.",
    ),
    "idempotency-key-reused": (
        "The idempotency key stands for another request",
        "The Idempotency-Key was used in the last 24 hours for a request with another path, other "
        "fields or other files. Nothing was kept; send a new request with a new key.",
    ),
    "unsupported-media-type": (
        "That type of content is not accepted",
        "Either the request needs another Content-Type or no Content-Encoding, or the type of the "
        "file, as its bytes tell, is not among those that the operator accepts.",
    ),
    "not-authenticated": (
        "Sign in first",
        "Send `Authorization: Bearer` with a token from /auth/login. The one that was sent is "
        "missing, malformed, expired or not valid any more, or the password is wrong.",
    ),
    "forbidden": ("Not allowed", "The operator has closed this."),
    "wrong-password": (
        "The password is wrong",
        "What was asked for needs the password of the account once more. Too many wrong ones are "
        "refused for a while.",
    ),
    "not-found": (
        "Not found",
        "There is nothing by that name, or it is not yours: the two are never told apart.",
    ),
    METHOD_NOT_ALLOWED: (
        "Method not allowed",
        "That exists, but not for this method. The Allow header lists those that work.",
    ),
    "conflict": (
        "The state of the resource does not allow that",
        "Look at the resource again, then decide.",
    ),
    "illegal-transition": (
        "The state of the resource does not allow that",
        "The file's status is not one from which this is possible. A file that is still processing "
        "cannot be processed again before it is done.",
    ),
    "stale-version": (
        "The state of the resource does not allow that",
        "Somebody else changed it first. Read it again, then decide.",
    ),
    "precondition-failed": (
        "It has changed since",
        "If-Match names a version that is not the current one any more: somebody changed the file, "
        "or it was processed. Read it again, then decide.",
    ),
    "already-exists": (
        "It exists already",
        "Choose another name, or use what is there.",
    ),
    "in-progress": (
        "The same request is running already",
        "An earlier request with that Idempotency-Key has not ended. Ask again for its answer. "
        "When the server died in the middle of it, the key is free after a minute.",
    ),
    "not-ready": (
        "Not processed yet",
        "What was asked for is made by processing. Wait until the file's status is `processed` or "
        "`failed`; GET /files/{id}?wait=60 does that.",
    ),
    "range-not-satisfiable": (
        "No byte of the file is in that range",
        "The Content-Range header tells the file's size.",
    ),
    "too-slow": (
        "The request took too long to arrive",
        "The body came too slowly or stopped. Nothing was kept; send it again.",
    ),
    "rate-limited": (
        "Too many requests",
        "Wait for the seconds in `retry_after`, then go on.",
    ),
    "unavailable": (
        "Temporarily unavailable",
        "A part that docstore leans on does not answer. The same request may work later; "
        "`retry_after` says when to try.",
    ),
    "out-of-space": (
        "The store is full",
        "Nothing was kept. The operator has to make room.",
    ),
    "blob-missing": (
        "The stored bytes are damaged",
        "The file is recorded, but its bytes are gone or have changed. The operator has to look.",
    ),
    "newer-data": (
        "Made by a newer version",
        "The operator has to install a newer version.",
    ),
    "processing-failed": (
        "The file could not be processed",
        "The file's `error` says why.",
    ),
}
"""Slug to title and text. A test holds it against every error there is."""


def problem(
    prefix: str, slug: str, *, status: int, detail: str, trace_id: str, **more: Any
) -> bytes:
    """The JSON of a problem (RFC 9457), whose type stands under `prefix`."""
    body = {
        "type": f"{prefix}/problems/{slug}",
        "title": PAGES[slug][0],
        "status": status,
        "detail": detail,
        "trace_id": trace_id,
        **more,
    }
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


PAGE: Final = Operation(
    answers={200: Bytes("text/html")},
    refusals=(404,),
    is_open=True,
    tag="about",
    path_parameters={"slug": "The last part of a problem's `type`."},
)


@route("GET", "/problems/{slug:str}", PAGE)
async def problem_page(slug: FromPath[str]) -> ASGIApp:
    """What a problem type means."""
    if slug not in PAGES:
        raise NotFound("problem", slug)
    title, text = map(escape, PAGES[slug])
    page = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
    page += f"<h1>{title}</h1><p>{text}</p></html>\n"
    return Answer(page.encode(), media_type="text/html; charset=utf-8")
