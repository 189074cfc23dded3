"""Routes that say what they take and give: the OpenAPI document is made of nothing else."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from inspect import signature
from typing import Any, Final

from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from pydantic import BaseModel

from docstore.entrypoints.http.answers import JSON, Answer
from docstore.entrypoints.http.bodies import AnyRequest
from docstore.entrypoints.http.queries import NoQuery, Query

OPT: Final = "operation"
UNSIGNED: Final = "unsigned"  # marks a handler that needs no token, whatever stands around it

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
    body_types: Sequence[str] = (JSON,)  # of a body that is a model
    refusals: Sequence[int] = ()  # beside 401 and 5xx, which every route may answer
    headers: Sequence[str] = ()  # of the request, that mean something here
    answer_headers: Sequence[str] = ()  # of every answer that is not a refusal
    constant_headers: Sequence[str] = ()  # of every answer, refusals among them
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
        )(_direct(handler))

    return decorate


def _direct(handler: Handler) -> Callable[[AnyRequest], Awaitable[ASGIApp]]:
    """`handler`, given the dependencies of the application and the parts of the path by itself.

    Litestar would start a group of tasks for them, and check their types, in every request: a
    third of the time that a file's metadata takes. Ours are at hand, and checked by mypy.
    """
    names = _parameters(handler)

    async def call(request: AnyRequest) -> ASGIApp:
        own = {"request": request, **request.path_params}
        provided = request.app.dependencies
        given = {name: own[name] if name in own else _from(provided[name], own) for name in names}
        answer: ASGIApp = await handler(**given)
        return answer

    call.__name__, call.__doc__ = handler.__name__, handler.__doc__
    return call


def _from(provide: Any, own: Mapping[str, Any]) -> Any:
    """What the application provides; it may take parts of the path in turn."""
    assert isinstance(provide, Provide)
    parts = _parameters(provide.dependency)
    return provide.dependency(**{part: own[part] for part in parts})


@lru_cache(256)
def _parameters(function: Callable[..., Any]) -> Sequence[str]:
    return tuple(signature(function).parameters)


def options_of(handlers: Iterable[HTTPRouteHandler]) -> Sequence[HTTPRouteHandler]:
    """An OPTIONS for every path of `handlers`: open to all, since it tells nothing of anybody.

    Litestar's own would know but the methods of the first handler of a path.
    """
    allowed: dict[str, set[str]] = {}
    for handler in handlers:
        for path in handler.paths:
            allowed.setdefault(path, {"OPTIONS"}).update(methods_of(handler))
    return [_options(path, ", ".join(sorted(methods))) for path, methods in allowed.items()]


def methods_of(handler: HTTPRouteHandler) -> Sequence[str]:
    return sorted(str(getattr(method, "value", method)) for method in handler.http_methods)


def _options(path: str, allowed: str) -> HTTPRouteHandler:
    async def options() -> ASGIApp:
        return Answer(status=204, headers={"Allow": allowed})

    marked = {UNSIGNED: True}
    return HTTPRouteHandler(path, http_method=["OPTIONS"], opt=marked, status_code=200)(options)
