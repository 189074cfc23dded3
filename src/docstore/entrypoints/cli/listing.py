"""What is there: files and jobs, in tables or as JSON."""

import math
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final, TypeAlias

import click
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from docstore.entrypoints.cli.options import json_option, print_json
from docstore.entrypoints.cli.targets import Target, target_options
from docstore.entrypoints.client.session import Json, Session
from docstore.entrypoints.logs import printable

STATUSES: Final = ("uploaded", "processing", "processed", "failed")
ORDERS: Final = ("uploaded_at", "-uploaded_at", "filename", "-filename", "size", "-size")
PAGE: Final = 100

Rows: TypeAlias = Callable[[Sequence[Json]], Iterator[Sequence[str]]]


@click.command()
@click.option("-q", "--query", "q", help="Words in names, titles, descriptions and tags.")
@click.option("--status", type=click.Choice(STATUSES))
@click.option("--type", "media_type", help="Such as image/png, or image/*.")
@click.option("--tag")
@click.option("--name", "filename", help="A part of the name.")
@click.option("--after", "uploaded_after", help="Uploaded from then on: 2026-11-26T00:00:00Z.")
@click.option("--before", "uploaded_before", help="Uploaded before then.")
@click.option("--sort", type=click.Choice(ORDERS), help="Default: the newest first.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1))
@click.option("--all", "everything", is_flag=True, help="Without a limit.")
@target_options
@json_option
def ls(target: Target, limit: int, everything: bool, as_json: bool, **filters: Any) -> None:
    """List files. --json prints one object a line."""
    asked = {name: value for name, value in filters.items() if value is not None}
    _show(target, "/files", asked, None if everything else limit, None if as_json else _files)


@click.command()
@click.option("--status", type=click.Choice(("queued", "processing", "completed", "failed")))
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1))
@click.option("--all", "everything", is_flag=True, help="Without a limit.")
@target_options
@json_option
def jobs(target: Target, status: str | None, limit: int, everything: bool, as_json: bool) -> None:
    """List jobs, the newest first. --json prints one object a line."""
    asked = {"status": status} if status else {}
    _show(target, "/jobs", asked, None if everything else limit, None if as_json else _jobs)


def _show(
    target: Target, path: str, asked: dict[str, Any], limit: int | None, rows: Rows | None
) -> None:
    """A table of `rows`; without them JSON, page by page as it comes."""

    async def act(session: Session) -> Sequence[Json]:
        found: list[Json] = []
        async with aclosing(_pages(session, path, asked, limit)) as pages:
            async for page in pages:
                if rows is not None:
                    found += page
                for each in page if rows is None else ():
                    print_json(each)
        return found

    found = target.run(act)
    if rows is not None:
        _print(rows(found), found)


async def _pages(
    session: Session, path: str, asked: dict[str, Any], limit: int | None
) -> AsyncGenerator[Sequence[Json], None]:
    left = math.inf if limit is None else limit
    cursor: dict[str, str] = {}
    while left > 0:
        size = min(PAGE, left)
        page = await session.ask("GET", path, params={**asked, "page_size": size, **cursor})
        yield page["items"]
        left -= len(page["items"])
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def _print(rows: Iterator[Sequence[str]], found: Sequence[Json]) -> None:
    heads = next(rows)
    if not found:
        click.echo("there are none")
        return
    table = Table(box=None, pad_edge=False)
    for head in heads:  # an id that is cut is no id
        table.add_column(head, no_wrap=True, min_width=36 if head == "id" else None)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = 10_000  # nobody reads it side by side
    console.print(table)


def _files(found: Sequence[Json]) -> Iterator[Sequence[str]]:
    yield ("id", "name", "size", "type", "status", "uploaded")
    for file in found:
        yield (
            file["id"],
            file["filename"],
            decimal(file["size"]),
            file["media_type"],
            file["status"],
            _moment(file["uploaded_at"]),
        )


def _jobs(found: Sequence[Json]) -> Iterator[Sequence[str]]:
    yield ("id", "file", "status", "attempts", "queued", "steps", "error")
    for job in found:
        attempts = f"{job['attempts']}/{job['max_attempts']}"
        queued, error = _moment(job["queued_at"]), job["error_message"] or ""
        steps = ", ".join(f"{step['processor']} {step['state']}" for step in job["steps"])
        yield job["id"], job["file_id"] or "", job["status"], attempts, queued, steps, error


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M}"
