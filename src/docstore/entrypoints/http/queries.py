"""The query of a request: every parameter known, none given twice, each of the right kind."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeVar, cast, get_origin
from urllib.parse import parse_qsl

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from docstore.domain.errors import InvalidField
from docstore.entrypoints.http.bodies import AnyRequest
from docstore.entrypoints.http.json_bodies import problems

MAX_PARAMETERS: Final = 100
_WHOLE: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,30})?(e[+-]?[0-9]{1,3})?", re.ASCII | re.I)


_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII | re.I,
)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)  # before it nothing was uploaded anywhere


class Query(BaseModel):
    """Base of the parameters of one route; a field of a list type may be repeated."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Query):
    """A route without parameters."""


Parameters = TypeVar("Parameters", bound=Query)


def _matching(pattern: re.Pattern[str], wanted: str) -> BeforeValidator:
    def check(value: object) -> object:
        if isinstance(value, str) and not pattern.fullmatch(value):
            raise PydanticCustomError("spelling", "takes {wanted}", {"wanted": wanted})
        return value

    return BeforeValidator(check)


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value.upper()) if _TIME.fullmatch(value) else None
        if moment is not None and moment.astimezone(UTC) >= EPOCH:
            return moment
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError("spelling", "takes a time of RFC 3339 such as 2026-01-02T03:04:05Z")


# Pydantic alone would also take 1_0, " 1 ", 1.0, on and yes. Limits go before these, or the
# OpenAPI document does not show them.
WHOLE: Final = _matching(_WHOLE, "a whole number of at most 9 digits")
NUMBER: Final = _matching(_NUMBER, "a decimal number such as 2.5")
MOMENT: Final = BeforeValidator(_moment)
TRUE_OR_FALSE: Final = _matching(re.compile("true|false"), "true or false")


def read_query(request: AnyRequest, model: type[Parameters]) -> Parameters:
    """The query as `model`; InvalidField for unknown, repeated and bad parameters."""
    try:
        if not request.scope["query_string"]:
            return cast(Parameters, _without(model))
        return model.model_validate(_collected(_pairs(request), _repeatable(model)))
    except ValidationError as error:
        raise InvalidField(*problems(error)) from None


@cache
def _without(model: type[Query]) -> Query:
    """The parameters of an empty query: frozen, so one for all requests."""
    return model()


def _pairs(request: AnyRequest) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise InvalidField(("query", "not a query in UTF-8 of at most 100 parameters")) from None


@cache
def _repeatable(model: type[Query]) -> frozenset[str]:
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if get_origin(field.annotation) is list)


def _collected(pairs: Iterable[tuple[str, str]], lists: frozenset[str]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in lists:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise InvalidField((name[:64], "given twice"))
        else:
            found[name] = value
    return found
