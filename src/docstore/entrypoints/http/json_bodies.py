"""JSON from clients: read strictly, so that what is understood is what was meant."""

import json
from collections.abc import Collection, Sequence
from math import isfinite
from typing import Any, Final, NoReturn, TypeVar

from multipart import parse_options_header
from pydantic import BaseModel, ValidationError

from docstore.domain.errors import InvalidField, Malformed, TooLarge, UnsupportedMediaType
from docstore.entrypoints.http.answers import JSON
from docstore.entrypoints.http.bodies import (
    AnyRequest,
    announced_length,
    capped,
    only,
    received,
    values_of,
)

MAX_JSON: Final = 256 * 1024  # bytes; the longest description, escaped, and all else
SETTING: Final = "the API for a body of JSON"

Model = TypeVar("Model", bound=BaseModel)


async def read_json(
    request: AnyRequest,
    model: type[Model],
    patience: float,
    *,
    types: Collection[str] = (JSON,),
    limit: int = MAX_JSON,
) -> Model:
    """The body as `model`.

    Raises UnsupportedMediaType unless it says that it is JSON of one of the `types`, Malformed when
    it is none, TooLarge over `limit` bytes, InvalidField for what `model` does not take, unknown
    fields among it.
    """
    _check_type(request, types)
    if (announced_length(request) or 0) > limit:
        raise TooLarge(limit, SETTING)
    body = capped(received(request, patience), limit, SETTING)
    value = parse(b"".join([chunk async for chunk in body]))
    try:
        return model.model_validate(value, strict=True)
    except ValidationError as error:
        raise InvalidField(*problems(error)) from None


def problems(error: ValidationError) -> Sequence[tuple[str, str]]:
    """Each field and what is wrong with it. Never the value: it may be a password."""
    return [
        (".".join(map(str, one["loc"]))[:64] or "body", one["msg"])
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def parse(body: bytes) -> Any:
    """The value of a JSON text in UTF-8; Malformed for broken or ambiguous JSON: a key twice, a
    number that is none, half of a surrogate pair."""
    try:
        value = json.loads(
            body.decode(),
            object_pairs_hook=_distinct,
            parse_constant=_no_number,
            parse_float=_finite,
        )
        # The only way to a lone surrogate is its escape, which the parser lets pass.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Malformed("the body is not JSON, or not unambiguous") from None
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number


def content_type(request: AnyRequest) -> str:
    """The type of the body, without its parameters."""
    essence: str = parse_options_header(only(request, "content-type") or "")[0]
    return essence


def _check_type(request: AnyRequest, types: Collection[str]) -> None:
    essence, options = parse_options_header(only(request, "content-type") or "")
    if essence not in types or options.get("charset", "utf-8").lower() != "utf-8":
        raise UnsupportedMediaType(f"the body is to be {' or '.join(types)} in UTF-8")
    refuse_encoding(request)


def refuse_encoding(request: AnyRequest) -> None:
    """UnsupportedMediaType for a body in a Content-Encoding: it could inflate to anything."""
    encodings = ",".join(values_of(request, "content-encoding"))
    if encodings.strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("a Content-Encoding is not accepted")
