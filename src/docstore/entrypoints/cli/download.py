"""Originals, on their way out."""

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from docstore.entrypoints.cli.failures import Exit, failure
from docstore.entrypoints.cli.options import json_option
from docstore.entrypoints.cli.progress import Progress, progress
from docstore.entrypoints.cli.targets import Target, target_options
from docstore.entrypoints.client.downloading import download as fetch
from docstore.entrypoints.client.downloading import write_to
from docstore.entrypoints.client.local_names import local_name
from docstore.entrypoints.client.places import of_file
from docstore.entrypoints.client.session import Json, Session
from docstore.entrypoints.logs import printable


@click.command()
@click.argument("ids", nargs=-1, required=True)
@click.option(
    "-o", "--output", default=".",
    help="A folder, a new file, or - for stdout. Default: here, under the file's own name.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@target_options
@json_option
def download(ids: Sequence[str], output: str, force: bool, target: Target, as_json: bool) -> None:
    """Download the originals of the files with these IDS.

    What was cut is gone on with where it ended: by itself, and by the same command later. The
    bytes are compared with their checksum before the file has its name. One that fails does not
    keep the others.
    """
    is_folder = _is_folder(output, len(ids))

    async def act(session: Session) -> int:
        views, lost = await _views(session, ids)
        size = sum(view["size"] for view in views)
        with progress(size, len(views), as_json=as_json) as shown:
            fetched = _Fetched(session, Path(output), is_folder, force, shown)
            return lost + [await fetched(view) for view in views].count(False)

    if target.run(_to_stdout(ids[0]) if output == "-" else act):
        raise SystemExit(Exit.FAILED)


def _is_folder(output: str, files: int) -> bool:
    if output == "-":
        if files > 1:
            raise click.UsageError("stdout takes one file: --output -")
        return False
    if os.path.isdir(output):
        return True
    if files > 1 or output.endswith(os.sep):
        raise click.UsageError(f"{output} is no folder: --output")
    return False


def _to_stdout(file_id: str) -> Callable[[Session], Awaitable[int]]:
    async def act(session: Session) -> int:
        with click.open_file("-", "wb") as stdout:
            await write_to(session, await session.ask("GET", of_file(file_id)), stdout)
        return 0

    return act


async def _views(session: Session, ids: Sequence[str]) -> tuple[Sequence[Json], int]:
    """Those that are there, and how many are not."""
    views = []
    for file_id in ids:
        try:
            views.append(await session.ask("GET", of_file(file_id)))
        except Exception as error:
            click.echo(f"docstore: {printable(file_id)}: {failure(error).message}", err=True)
    return views, len(ids) - len(views)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """Each file that is called for, at its place."""

    session: Session
    output: Path
    is_folder: bool
    force: bool
    shown: Progress

    async def __call__(self, view: Json) -> bool:
        """Whether it went well."""
        place = self.output
        if self.is_folder:
            place /= local_name(view["filename"], view["id"])
        try:
            with self.shown.file() as got:
                await fetch(self.session, view, place, got, force=self.force)
        except Exception as error:
            self.shown.tell(f"docstore: {failure(error).message}")
            return False
        self.shown.print({"id": view["id"], "path": str(place), "size": view["size"]}, str(place))
        return True
