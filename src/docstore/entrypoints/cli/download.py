"""Originals, on their way out."""

from collections.abc import Sequence
from pathlib import Path

import click

from docstore.entrypoints.cli.failures import Exit, failure
from docstore.entrypoints.cli.options import json_option, print_json
from docstore.entrypoints.cli.progress import Progress, progress
from docstore.entrypoints.cli.targets import Target, target_options
from docstore.entrypoints.client.downloading import download as fetch
from docstore.entrypoints.client.downloading import write_to
from docstore.entrypoints.client.local_names import local_name
from docstore.entrypoints.client.session import Json, Session


@click.command()
@click.argument("ids", nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path(),
    help="A folder, a new file, or - for stdout. Default: here, under the file's own name.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@target_options
@json_option
def download(ids: Sequence[str], output: Path, force: bool, target: Target, as_json: bool) -> None:
    """Download the originals of the files with these IDS.

    What was cut is gone on with where it ended: by itself, and by the same command later. The
    bytes are compared with their checksum before the file has its name.
    """
    if len(ids) > 1 and not output.is_dir():
        raise click.UsageError("several files need a folder to go to: --output")

    is_folder = output.is_dir()

    def place(view: Json) -> Path:
        return output / local_name(view["filename"], view["id"]) if is_folder else output

    async def act(session: Session) -> int:
        views = [await session.ask("GET", f"/files/{each}") for each in ids]
        if str(output) == "-":
            with click.open_file("-", "wb") as stdout:
                await write_to(session, views[0], stdout)
            return 0
        with progress(sum(view["size"] for view in views)) as shown:
            went = [await _one(session, view, place(view), force, shown, as_json) for view in views]
        return went.count(False)

    if target.run(act):
        raise SystemExit(Exit.FAILED)


async def _one(
    session: Session, view: Json, place: Path, force: bool, shown: Progress, as_json: bool
) -> bool:
    """Whether it went well."""
    try:
        with shown.file() as got:
            await fetch(session, view, place, got, force=force)
    except Exception as error:
        shown.tell(f"docstore: {failure(error).message}")
        return False
    if as_json:
        print_json({"id": view["id"], "path": str(place), "size": view["size"]})
    else:
        click.echo(str(place))
    return True
