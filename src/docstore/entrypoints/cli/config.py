"""What docstore is set to, and what it could be set to."""

import textwrap
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from docstore.entrypoints.cli.options import (
    data_dir_option,
    json_option,
    print_json,
    settings_for,
)
from docstore.entrypoints.logs import printable
from docstore.settings import MASK, Settings, masked

_WIDTH: Final = 96
_DERIVED: Final[Mapping[str, str]] = {
    "database_url": "database",
    "storage_url": "storage",
    "queue_url": "queue",
    "rate_limits_url": "rate_limits",
}
"""Settings that are empty by default, and where the value stands that is used then."""


@click.command()
@data_dir_option
@click.option("--env", "as_env", is_flag=True, help="Print a .env of all defaults, explained.")
@json_option
def config(data_dir: Path | None, as_env: bool, as_json: bool) -> None:
    """The settings that are in force, with secrets masked."""
    if as_env:
        click.echo(example(), nl=False)
        return
    values = effective(settings_for(data_dir).as_served)
    if as_json:
        print_json(values)
    else:
        for name, value in values.items():
            click.echo(printable(f"{name}={_written(value)}"))


def effective(settings: Settings) -> Mapping[str, object]:
    """Variable to value: what is used, not what was left empty. No secret is among them."""
    return {
        _variable(name): _shown(settings, name, field)
        for name, field in Settings.model_fields.items()
    }


def example() -> str:
    """The text of `.env.example`."""
    head = "# docstore's settings with their defaults; made by `docstore config --env`.\n"
    blocks = (_block(name, field) for name, field in Settings.model_fields.items())
    return "\n".join((head, *blocks))


def _shown(settings: Settings, name: str, field: FieldInfo) -> object:
    value = getattr(settings, _DERIVED.get(name, name))
    if field.repr is False and value:
        return MASK
    if isinstance(value, str):
        return masked(value)
    return str(value) if isinstance(value, Path) else value


def _block(name: str, field: FieldInfo) -> str:
    about = f"{field.description} ({_takes(field)})"
    lines = textwrap.wrap(about, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    return "\n".join((*lines, f"#{_variable(name)}={_written(field.default)}\n"))


def _variable(name: str) -> str:
    return f"DOCSTORE_{name.upper()}"


def _written(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _takes(field: FieldInfo) -> str:
    """What the setting takes, for people."""
    kind = field.annotation
    if get_origin(kind) is Literal:
        return " or ".join(map(str, get_args(kind)))
    bounds = ", ".join(_bounds(field))
    return f"{_kind(kind)}, {bounds}" if bounds else _kind(kind)


def _kind(kind: Any) -> str:
    if isinstance(kind, types.GenericAlias):
        return "comma-separated list"
    return {int: "whole number", float: "number", Path: "path"}.get(kind, "text")


def _bounds(field: FieldInfo) -> Iterator[str]:
    words = {
        "ge": "at least",
        "gt": "more than",
        "le": "at most",
        "max_length": "at most as many characters:",
    }
    for rule in field.metadata:
        for name, word in words.items():
            if (limit := getattr(rule, name, None)) is not None:
                yield f"{word} {limit}"
