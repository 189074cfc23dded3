"""Every error becomes RFC 9457 problem details, here and nowhere else."""

import json
import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any, Final

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap, Scope

from docstore.domain import errors
from docstore.entrypoints.http.bodies import AnyRequest
from docstore.entrypoints.http.problems import METHOD_NOT_ALLOWED, PAGES
from docstore.entrypoints.http.refusals import ClientGone, RangeNotSatisfiable, TooManyParts

log = logging.getLogger(__name__)

STATUS: Final[Mapping[type[errors.DocstoreError], int]] = {
    errors.DocstoreError: 500,
    errors.InvalidInput: 400,
    errors.InvalidField: 422,
    errors.TooLarge: 413,
    TooManyParts: 413,
    errors.UnsupportedMediaType: 415,
    errors.NotAuthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    RangeNotSatisfiable: 416,
    errors.TooSlow: 408,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
    errors.OutOfSpace: 507,
    errors.Damaged: 500,
}
"""The nearest class counts."""

TOLD: Final = (
    errors.InvalidInput,
    errors.NotAuthenticated,
    errors.Forbidden,
    errors.IllegalTransition,
    errors.AlreadyExists,
    errors.NotReady,
    RangeNotSatisfiable,
    errors.TooSlow,
    errors.RateLimited,
)
"""Errors whose message is for the client. Those of the others name ids, paths or what a database
said: they stay in the log."""

RETRY_AFTER: Final = 5  # seconds, when nothing better is known

SLUGS: Final[Mapping[int, str]] = {
    400: errors.Malformed.code,
    401: errors.NotAuthenticated.code,
    403: errors.Forbidden.code,
    404: errors.NotFound.code,
    405: METHOD_NOT_ALLOWED,
    413: errors.TooLarge.code,
    415: errors.UnsupportedMediaType.code,
    429: errors.RateLimited.code,
    503: errors.Unavailable.code,
}
"""What the framework's own refusals are called."""


def handlers(prefix: str) -> ExceptionHandlersMap:
    """What answers which exception; problem types stand under `prefix`."""

    def known(request: AnyRequest, error: errors.DocstoreError) -> Response[bytes]:
        status = status_of(error)
        detail = str(error) if isinstance(error, TOLD) and str(error) else error.title
        return _problem(request, error, prefix, error.code, status, detail)

    def framework(request: AnyRequest, error: HTTPException) -> Response[bytes]:
        slug = SLUGS.get(error.status_code, errors.DocstoreError.code)
        status = error.status_code if slug in SLUGS.values() else 500
        return _problem(request, error, prefix, slug, status, PAGES[slug][0])

    def unknown(request: AnyRequest, error: Exception) -> Response[bytes]:
        slug = errors.DocstoreError.code
        return _problem(request, error, prefix, slug, 500, PAGES[slug][0])

    return {
        errors.DocstoreError: known,
        HTTPException: framework,
        ClientGone: _nobody_left,
        Exception: unknown,
    }


def status_of(error: errors.DocstoreError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def _problem(
    request: AnyRequest, error: Exception, prefix: str, slug: str, status: int, detail: str
) -> Response[bytes]:
    trace_id = secrets.token_hex(8)
    note(request.scope, error, status, trace_id)
    body = {
        "type": f"{prefix}/problems/{slug}",
        "title": PAGES[slug][0],
        "status": status,
        "detail": detail,
        "trace_id": trace_id,
        **_more(error, status),
    }
    return Response(
        json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
        status_code=status,
        media_type="application/problem+json",
        headers=_headers(error, status),
    )


def _more(error: Exception, status: int) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if isinstance(error, errors.InvalidInput) and error.problems:
        more["errors"] = [{"field": f, "message": message} for f, message in error.problems]
    if isinstance(error, errors.TooLarge):
        more["max_bytes"] = error.limit
    if (seconds := _retry_after(error, status)) is not None:
        more["retry_after"] = seconds
    return more


def _headers(error: Exception, status: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException):
        headers.update(error.headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{error.size}"
    if (seconds := _retry_after(error, status)) is not None:
        headers["Retry-After"] = str(seconds)
    return headers


def _retry_after(error: Exception, status: int) -> int | None:
    if isinstance(error, errors.RateLimited):
        return max(1, ceil(error.retry_after.total_seconds()))
    return RETRY_AFTER if status == HTTPStatus.SERVICE_UNAVAILABLE else None


def note(scope: Scope, error: Exception, status: int, trace_id: str) -> None:
    """The log line that a `trace_id` finds. Never the query or a header: there may be secrets."""
    level = logging.ERROR if status >= 500 else logging.INFO
    is_bug = status == 500 and not isinstance(error, errors.DocstoreError)
    log.log(
        level,
        "%s %r -> %d trace_id=%s %s: %r",
        scope.get("method"),
        scope["path"],
        status,
        trace_id,
        type(error).__name__,
        str(error)[:500],
        exc_info=error if is_bug else None,
    )


def _nobody_left(request: AnyRequest, _: ClientGone) -> Response[bytes]:
    log.info("%s %r: client abort", request.scope["method"], request.scope["path"])
    return Response(b"", status_code=400, media_type="text/plain")
