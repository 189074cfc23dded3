"""Options that several commands take, and the settings they change."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from docstore.entrypoints import logs
from docstore.settings import Settings

C = TypeVar("C", bound=Callable[..., Any])


def data_dir_option(command: C) -> C:
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="Instead of DOCSTORE_DATA_DIR.",
    )(command)


def json_option(command: C) -> C:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(command)


def settings_for(data_dir: Path | None, *, is_service: bool = False, **changes: Any) -> Settings:
    """The settings of this run, with logging set up as they say. An option that was not given
    changes nothing. `is_service`: the command runs until it is told to stop. Raises
    ValidationError.
    """
    given = {"data_dir": data_dir, **changes}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    logs.to_stderr(settings, is_service=is_service)
    return settings


def as_line(value: Any) -> str:
    """One line of JSON."""
    return json.dumps(value, ensure_ascii=False, default=str)


def print_json(value: Any) -> None:
    """One line of JSON on stdout."""
    click.echo(as_line(value))
