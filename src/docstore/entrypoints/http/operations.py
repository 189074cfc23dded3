"""Routes that say what they take and give: the OpenAPI document is made of nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from litestar.handlers import HTTPRouteHandler
from pydantic import BaseModel

from docstore.entrypoints.http.queries import NoQuery, Query

OPT: Final = "operation"

Handler = Callable[..., Any]
Wake = Callable[[], None]
"""Tells a worker that there is work, so that it need not wait for its next look."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """An answer that is not JSON."""

    media_type: str = "*/*"


@dataclass(frozen=True, slots=True)
class UploadBody:
    """A form with files, or any other type, which is then the file itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one route takes and gives, beside its summary and description: its docstring."""

    answers: Mapping[int, Any]  # status to a view, a union of them, Bytes, or None
    query: type[Query] = NoQuery
    body: type[BaseModel] | UploadBody | None = None
    refusals: Sequence[int] = ()  # beside 401 and 5xx, which every route may answer
    headers: Sequence[str] = ()  # of the request, that mean something here
    is_open: bool = False  # needs no token
    tag: str = "files"
    path_parameters: Mapping[str, str] = field(default_factory=dict)  # name to description


def route(
    methods: str | Sequence[str], paths: str | Sequence[str], operation: Operation
) -> Callable[[Handler], HTTPRouteHandler]:
    """A handler of those methods and paths, which keeps `operation` for the OpenAPI document.

    Every GET is a HEAD too (RFC 9110 9.1); an Answer leaves out the body.
    """
    names = [methods] if isinstance(methods, str) else list(methods)
    if "GET" in names:
        names.append("HEAD")

    def decorate(handler: Handler) -> HTTPRouteHandler:
        return HTTPRouteHandler(
            paths,
            http_method=names,  # type: ignore[arg-type]  # str, where it wants literals
            opt={OPT: operation},
            status_code=200,  # what Litestar documents; the Answer has its own
            include_in_schema=False,  # ours is made from `operation`
        )(handler)

    return decorate
