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
    307: ("Location",),
    401: ("WWW-Authenticate",),
    416: ("Content-Range",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
REQUEST_HEADERS: Final[Mapping[str, Json]] = {
    "Idempotency-Key": {
        "description": "The same request with the same key, sent again within 24 hours, takes no "
        "effect and gets the first answer. A refusal is not kept.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    },
}
ANSWER_HEADERS: Final[Mapping[str, Json]] = {
    "RateLimit": {
        "description": "How many files may be uploaded still (r), and the seconds until more may "
        "be (t). Absent when the operator sets no limit.",
        "schema": {"type": "string"},
        "example": '"uploads";r=999;t=60',
    },
    "RateLimit-Policy": {
        "description": "How many files may be uploaded (q) in how many seconds (w).",
        "schema": {"type": "string"},
        "example": '"uploads";q=1000;w=60',
    },
    "Retry-After": {
        "description": "Seconds.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 30,
    },
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
        described["requestBody"] = _request_body(operation)
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
            "schema": _of_parameter(field, schema.get("$defs", {})),
        }
    for name in operation.headers:
        schema = {"schema": {"type": "string"}}
        yield {"name": name, "in": "header", **REQUEST_HEADERS.get(name, schema)}


def _of_parameter(field: Json, definitions: Json) -> Json:
    """The schema of a query parameter: nothing in a query is null, and nothing is elsewhere."""
    kinds = [kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}]
    kind = kinds[0] if kinds else {}
    rest = {key: value for key, value in field.items() if key not in ("anyOf", "$ref")}
    if rest.get("default", 0) is None:
        del rest["default"]
    reference = kind.pop("$ref", None) or field.get("$ref")
    defined = definitions[reference.rpartition("/")[2]] if reference else {}
    return {**defined, **kind, **rest}


def _request_body(operation: Operation) -> Json:
    body = operation.body
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
    assert body is not None
    content = {media_type: {"schema": _reference(body)} for media_type in operation.body_types}
    return {"required": True, "content": content}


def _responses(operation: Operation, method: str) -> dict[str, Json]:
    responses = {
        str(status): _answer(
            status,
            None if method == "HEAD" else answer,
            (*operation.answer_headers, *operation.constant_headers),
        )
        for status, answer in operation.answers.items()
    }
    signed_in = () if operation.is_open else (401,)
    refused = {*operation.refusals, *signed_in, *ALWAYS, *BELOW} - set(operation.answers)
    constant = operation.constant_headers
    responses |= {str(status): _refusal(status, method, constant) for status in refused}
    return responses


def _refusal(status: int, method: str, headers: Sequence[str]) -> Json:
    refusal = _answer(status, None, headers)
    if method == "HEAD":
        return refusal
    refusal["content"] = {PROBLEM: {"schema": _reference(ProblemView)}}
    if status in BELOW:
        refusal["content"]["text/plain"] = {"schema": {"type": "string"}}
    return refusal


def _answer(status: int, answer: Any, headers: Sequence[str] = ()) -> Json:
    described: Json = {"description": HTTPStatus(status).phrase}
    if names := [*RESPONSE_HEADERS.get(status, ()), *headers]:
        plain = {"schema": {"type": "string"}}
        described["headers"] = {name: ANSWER_HEADERS.get(name, plain) for name in names}
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
