"""Files that newer processors would read in another way."""

from collections import Counter
from pathlib import Path
from typing import Final

import click

from docstore.application.docstore import Docstore
from docstore.application.refreshing import Refreshed, Stale
from docstore.entrypoints.cli.options import (
    data_dir_option,
    json_option,
    print_json,
    settings_for,
)
from docstore.entrypoints.cli.stores import must_outlive_a_process, with_store
from docstore.entrypoints.logs import printable

NO_CHOICE: Final = "say what is to be processed again: --stale (one file: docstore retry --force)"


@click.command()
@data_dir_option
@click.option("--stale", is_flag=True, help="What a new or upgraded processor makes out of date.")
@click.option("--dry-run", is_flag=True, help="List the files, and change nothing.")
@json_option
def reprocess(data_dir: Path | None, stale: bool, dry_run: bool, as_json: bool) -> None:
    """Run the steps that are out of date, on all files.

    Gives jobs to the files, for `serve` or `worker` to run: safe while they do. Until a job is
    done, its file is read as it was. With --dry-run, --json prints one object a file, then the
    counts.
    """
    if not stale:
        raise click.UsageError(NO_CHOICE)
    settings = settings_for(data_dir)
    must_outlive_a_process(settings)
    steps: Counter[str] = Counter()

    def tell(found: Stale) -> None:
        steps.update(found.processors)
        if dry_run:
            _list(found, as_json)

    async def act(docstore: Docstore) -> Refreshed:
        return await docstore.refresh(dry_run=dry_run, tell=tell)

    _count(with_store(settings, act), steps, dry_run, as_json)


def _list(found: Stale, as_json: bool) -> None:
    file = found.file
    if as_json:
        view = {"id": str(file.id), "filename": file.original_filename}
        print_json({**view, "status": file.status, "steps": found.processors})
        return
    steps = ", ".join(found.processors)
    click.echo(f"{file.id}  {printable(file.original_filename)}  {printable(steps)}")


def _count(refreshed: Refreshed, steps: Counter[str], dry_run: bool, as_json: bool) -> None:
    if as_json:
        queued = 0 if dry_run else refreshed.stale
        counts = {"files": refreshed.looked_at, "stale": refreshed.stale, "queued": queued}
        print_json({**counts, "steps": dict(sorted(steps.items()))})
        return
    done = "would be processed again" if dry_run else "will be processed again"
    told = "".join(f", {name} on {count}" for name, count in sorted(steps.items()))
    click.echo(f"{refreshed.stale} of {refreshed.looked_at} files {done}{printable(told)}")
