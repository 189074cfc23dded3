"""Every error becomes RFC 9457 problem details, here and nowhere else."""

import errno
import logging
from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any, Final

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap, Scope

from docstore.application.auditing import LOGGER as SECURITY
from docstore.domain import errors
from docstore.entrypoints import tracing
from docstore.entrypoints.http.bodies import AnyRequest
from docstore.entrypoints.http.exchange import client_in, method_of, template_of, user_id_in
from docstore.entrypoints.http.problems import METHOD_NOT_ALLOWED, PAGES, RETRY_AFTER, problem
from docstore.entrypoints.http.refusals import ClientGone, RangeNotSatisfiable, TooManyParts

log = logging.getLogger(__name__)
security = logging.getLogger(SECURITY)

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
    errors.PreconditionFailed: 412,
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
    errors.PreconditionFailed,
    errors.AlreadyExists,
    errors.InProgress,
    errors.NotReady,
    RangeNotSatisfiable,
    errors.TooSlow,
    errors.RateLimited,
)
"""Errors whose message is for the client. Those of the others name ids, paths or what a database
said: they stay in the log."""

REFUSALS: Final = frozenset({401, 403, 429})
"""What goes to the security log."""

MAX_MESSAGE: Final = 500  # characters of an error's own words that are logged

EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
"""What the whole machine, or this process, has too little of: even a module cannot be read then."""

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

    def system(request: AnyRequest, error: OSError) -> Response[bytes]:
        if error.errno not in EXHAUSTED:
            return unknown(request, error)
        return known(request, errors.Unavailable(str(error)))

    def unknown(request: AnyRequest, error: Exception) -> Response[bytes]:
        slug = errors.DocstoreError.code
        return _problem(request, error, prefix, slug, 500, PAGES[slug][0])

    return {
        errors.DocstoreError: known,
        HTTPException: framework,
        OSError: system,
        ClientGone: _nobody_left,
        Exception: unknown,
    }


def status_of(error: errors.DocstoreError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def _problem(
    request: AnyRequest, error: Exception, prefix: str, slug: str, status: int, detail: str
) -> Response[bytes]:
    trace_id = note(request.scope, error, status)
    more = _more(error, status)
    return Response(
        problem(prefix, slug, status=status, detail=detail, trace_id=trace_id, **more),
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


def note(scope: Scope, error: Exception, status: int) -> str:
    """Write the log line that a trace id finds; that id.

    What came from the client stays out of it, whatever the message says: there may be secrets in
    a query, a path, a header or a field.
    """
    trace_id = tracing.current() or tracing.made()
    is_bug = status >= 500 and not isinstance(error, errors.DocstoreError)
    where = security if status in REFUSALS else log
    where.log(
        logging.ERROR if status >= 500 else logging.INFO,
        "%s %s: %d %s%s",
        method_of(scope),
        template_of(scope),
        status,
        type(error).__name__,
        _told(error),
        extra={
            "trace_id": trace_id,
            "event": "refused" if status in REFUSALS else None,
            "code": getattr(error, "code", None),
            "user_id": user_id_in(scope),
            "client": client_in(scope) if status in REFUSALS else None,
        },
        exc_info=error if is_bug else None,
    )
    return trace_id


def _told(error: Exception) -> str:
    """Our own words, of errors whose message is not for the client and quotes nobody."""
    if isinstance(error, (*TOLD, HTTPException, errors.NotFound)):
        return ""
    return f": {str(error)[:MAX_MESSAGE]!r}"


def _nobody_left(request: AnyRequest, _: ClientGone) -> Response[bytes]:
    log.info("%s %s: client abort", method_of(request.scope), template_of(request.scope))
    return Response(b"", status_code=400, media_type="text/plain")
