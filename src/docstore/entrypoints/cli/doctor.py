import asyncio
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from docstore.entrypoints.cli.failures import Exit
from docstore.entrypoints.cli.options import (
    data_dir_option,
    json_option,
    print_json,
    settings_for,
)
from docstore.entrypoints.doctor import Finding, Level, examine
from docstore.entrypoints.logs import printable
from docstore.settings import Settings

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILED: "red"}


@click.command()
@data_dir_option
@json_option
def doctor(data_dir: Path | None, as_json: bool) -> None:
    """Look whether this installation is fit for files.

    Tries the database, the store and the parsers for real; the status is 1 when something
    fails. Safe while docstore runs.
    """
    found = asyncio.run(_examine(settings_for(data_dir, log_level="error"), as_json))
    if as_json:
        print_json([asdict(each) for each in found])
    if any(each.level is Level.FAILED for each in found):
        raise SystemExit(Exit.FAILED)


async def _examine(settings: Settings, as_json: bool) -> list[Finding]:
    found = []
    async for each in examine(settings):
        found.append(each)
        if not as_json:
            _print(each)
    return found


def _print(finding: Finding) -> None:
    level = Text(f"{finding.level:8}", style=COLOURS[finding.level])
    told = f"{finding.subject}: {printable(finding.detail)}"
    Console(highlight=False, soft_wrap=True).print(level, told, markup=False)
