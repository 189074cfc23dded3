import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path

import click
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from docstore.entrypoints.cli.failures import Exit
from docstore.entrypoints.cli.options import (
    data_dir_option,
    json_option,
    print_json,
    settings_for,
)
from docstore.entrypoints.logs import printable
from docstore.entrypoints.surroundings import Finding, Level
from docstore.settings import explain

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILED: "red"}


@click.command()
@data_dir_option
@json_option
def doctor(data_dir: Path | None, as_json: bool) -> None:
    """Look whether this installation is fit for files.

    Tries the settings, the database, the store and the parsers for real, and says what to do;
    the status is 1 when something fails. Safe while docstore runs: an older database stays as it
    is.
    """
    found = asyncio.run(_examine(data_dir, as_json))
    if as_json:
        print_json([asdict(each) for each in found])
    if any(each.level is Level.FAILED for each in found):
        raise SystemExit(Exit.FAILED)


async def _examine(data_dir: Path | None, as_json: bool) -> list[Finding]:
    found = []
    async with aclosing(_findings(data_dir)) as findings:
        async for each in findings:
            found.append(each)
            if not as_json:
                _print(each)
    return found


async def _findings(data_dir: Path | None) -> AsyncGenerator[Finding, None]:
    try:
        settings = settings_for(data_dir, log_level="error")
    except ValidationError as error:
        yield Finding("settings", Level.FAILED, explain(error))
        return
    yield Finding("settings", Level.OK, "all are valid; `docstore config` shows them")
    from docstore.entrypoints.doctor import examine  # every adapter and parser

    async with aclosing(examine(settings)) as findings:
        async for each in findings:
            yield each


def _print(finding: Finding) -> None:
    level = Text(f"{finding.level:8}", style=COLOURS[finding.level])
    told = f"{finding.subject}: {printable(finding.detail)}"
    Console(highlight=False, soft_wrap=True).print(level, told, markup=False, emoji=False)
