"""The OpenAPI 3.1 document, made from what each route says of itself."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from types import UnionType
from typing import Any, Final, get_args

from litestar.handlers import HTTPRouteHandler
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from docstore.domain.file import MAX_DESCRIPTION, MAX_TAG, MAX_TAGS, MAX_TITLE
from docstore.entrypoints.http.docs import Described
from docstore.entrypoints.http.operations import OPT, Bytes, Operation, UploadBody, methods_of
from docstore.entrypoints.http.views import ProblemView

Json = dict[str, Any]

PROBLEM: Final = "application/problem+json"
ALWAYS: Final = (500, 503)
BELOW: Final = (400, 414, 431)
"""What the server refuses before this application sees it, in plain text."""
BEARER: Final = "bearer"
INTRODUCTION: Final = """\
Upload any file; have it processed; find, read and download it.

Sign in at `/auth/login` and send the token as `Authorization: Bearer ...`. Every error is RFC 9457
problem details; its `type` leads to a page that says what to do.
"""
RESPONSE_HEADERS: Final[Mapping[int, Sequence[str]]] = {
    201: ("Location", "ETag"),
    206: ("Content-Range",),
    401: ("WWW-Authenticate",),
    416: ("Content-Range",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
FORM: Final[Json] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "array",
            "minItems": 1,
            "description": "One or more files.",
            "items": {
                "type": "string",
                "contentMediaType": "application/octet-stream",
                "minLength": 1,
            },
        },
        "title": {"type": "string", "maxLength": MAX_TITLE},
        "description": {"type": "string", "maxLength": MAX_DESCRIPTION},
        "tags": {
            "type": "array",
            "maxItems": MAX_TAGS,
            "items": {"type": "string", "minLength": 1, "maxLength": MAX_TAG},
        },
        "metadata": {"type": "object", "description": "A JSON object of at most 16 KiB."},
    },
    "additionalProperties": False,
}


def document(handlers: Iterable[HTTPRouteHandler], prefix: str) -> Described:
    """The document of those routes, as JSON."""
    found = [(handler, _operation(handler)) for handler in handlers]
    schemas = _schemas(operation for _, operation in found)
    paths: dict[str, Json] = {}
    for handler, operation in found:
        for path in sorted(handler.paths):
            methods = paths.setdefault(f"{prefix}{_template(path)}", {})
            for method in methods_of(handler):
                methods[method.lower()] = _described(handler, operation, method, path)
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "docstore",
            "version": version("docstore"),
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{BEARER: []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }
    return Described(json.dumps(whole, ensure_ascii=False).encode())


def _operation(handler: HTTPRouteHandler) -> Operation:
    operation: Operation = handler.opt[OPT]
    return operation


def _template(path: str) -> str:
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path)


def _described(handler: HTTPRouteHandler, operation: Operation, method: str, path: str) -> Json:
    summary, _, description = (handler.fn.__doc__ or "").strip().partition("\n\n")
    described: Json = {
        "operationId": _identity(handler, method, path),
        "summary": summary.rstrip("."),
        "tags": [operation.tag],
        "parameters": [*_parameters(operation)],
        "responses": dict(sorted(_responses(operation, method).items())),
    }
    if description:
        described["description"] = " ".join(description.split())
    if operation.is_open:
        described["security"] = []
    if operation.body is not None:
        described["requestBody"] = _request_body(operation.body)
    return described


def _identity(handler: HTTPRouteHandler, method: str, path: str) -> str:
    """The handler's name, told apart where one handler serves several methods or paths."""
    parts = [handler.fn.__name__]
    if len(handler.paths) > 1:
        parts.append(re.sub(r"\W+", "_", path).strip("_"))
    if method == "HEAD":
        parts.append("head")
    return "_".join(parts)


def _parameters(operation: Operation) -> Iterable[Json]:
    for name, description in operation.path_parameters.items():
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": description,
            "schema": {"type": "string"},
        }
    schema = operation.query.model_json_schema()
    for name, field in schema.get("properties", {}).items():
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": field,
        }
    for name in operation.headers:
        yield {"name": name, "in": "header", "schema": {"type": "string"}}


def _request_body(body: type[BaseModel] | UploadBody) -> Json:
    if isinstance(body, UploadBody):
        return {
            "required": True,
            "description": "A form with one or more files, or, with any other Content-Type, the "
            "bytes of one file, whose name stands in Content-Disposition or `filename`.",
            "content": {
                "multipart/form-data": {"schema": FORM},
                "application/octet-stream": {"schema": {}},
                "*/*": {"schema": {}},
            },
        }
    return {"required": True, "content": {"application/json": {"schema": _reference(body)}}}


def _responses(operation: Operation, method: str) -> dict[str, Json]:
    responses = {
        str(status): _answer(status, None if method == "HEAD" else answer)
        for status, answer in operation.answers.items()
    }
    signed_in = () if operation.is_open else (401,)
    refused = {*operation.refusals, *signed_in, *ALWAYS, *BELOW} - set(operation.answers)
    responses |= {str(status): _refusal(status, method) for status in refused}
    return responses


def _refusal(status: int, method: str) -> Json:
    refusal = _answer(status, None)
    if method == "HEAD":
        return refusal
    refusal["content"] = {PROBLEM: {"schema": _reference(ProblemView)}}
    if status in BELOW:
        refusal["content"]["text/plain"] = {"schema": {"type": "string"}}
    return refusal


def _answer(status: int, answer: Any) -> Json:
    described: Json = {"description": HTTPStatus(status).phrase}
    if names := RESPONSE_HEADERS.get(status):
        described["headers"] = {name: {"schema": {"type": "string"}} for name in names}
    if isinstance(answer, Bytes):
        described["content"] = {answer.media_type: {"schema": {}}}
    elif answer is not None:
        described["content"] = {"application/json": {"schema": _schema(answer)}}
    return described


def _schema(answer: Any) -> Json:
    if isinstance(answer, UnionType):
        return {"oneOf": [_reference(one) for one in get_args(answer)]}
    return _reference(answer)


def _reference(model: type[BaseModel]) -> Json:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _schemas(operations: Iterable[Operation]) -> Json:
    modes: dict[type[BaseModel], JsonSchemaMode] = {ProblemView: "serialization"}
    for operation in operations:
        if isinstance(operation.body, type):
            modes[operation.body] = "validation"
        for answer in operation.answers.values():
            modes.update(dict.fromkeys(_views(answer), "serialization"))
    _, found = models_json_schema(list(modes.items()), ref_template="#/components/schemas/{model}")
    schemas: Json = found["$defs"]
    return schemas


def _views(answer: Any) -> Sequence[type[BaseModel]]:
    if isinstance(answer, UnionType):
        return get_args(answer)
    return (answer,) if isinstance(answer, type) else ()
