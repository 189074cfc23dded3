"""Looking after what is stored: `sweep` and `fsck`."""

from contextlib import ExitStack
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from docstore.application.checking import Finding
from docstore.application.docstore import Docstore
from docstore.application.sweeping import Swept
from docstore.entrypoints.cli.failures import Exit
from docstore.entrypoints.cli.options import (
    data_dir_option,
    json_option,
    print_json,
    settings_for,
)
from docstore.entrypoints.cli.stores import must_outlive_a_process, with_store
from docstore.entrypoints.logs import printable
from docstore.entrypoints.serving import folder

grace_option = click.option(
    "--grace",
    type=click.FloatRange(min=0),
    help="Seconds that bytes without a row may still be on their way. "
    "Instead of DOCSTORE_SWEEP_GRACE.",
)


@click.command()
@data_dir_option
@grace_option
@json_option
def sweep(data_dir: Path | None, grace: float | None, as_json: bool) -> None:
    """Delete bytes that a crash left without a row.

    A worker does so by itself. A grace shorter than the server's would take uploads that are on
    their way, so it is refused while the data directory is served.
    """
    settings = settings_for(data_dir)
    must_outlive_a_process(settings)
    seconds = settings.sweep_grace if grace is None else grace

    async def act(docstore: Docstore) -> Swept:
        return await docstore.background.sweep(grace=timedelta(seconds=seconds))

    with ExitStack() as stack:
        if seconds < settings.sweep_grace:
            folder.make_private(settings.data_dir)
            stack.enter_context(folder.unserved(settings.data_dir))
        swept = with_store(settings, act)
    if as_json:
        print_json(asdict(swept))
    else:
        click.echo(
            f"deleted {swept.blobs} blobs without a row, {swept.leftovers} leftovers of uploads "
            f"that never ended, {swept.purges} rows of finished purges"
        )


@click.command()
@data_dir_option
@click.option("--fast", is_flag=True, help="Compare names and sizes alone, read no bytes.")
@grace_option
@json_option
def fsck(data_dir: Path | None, fast: bool, grace: float | None, as_json: bool) -> None:
    """Compare what is recorded with what is stored. Changes nothing; safe while docstore serves.

    Finds rows without their bytes, bytes that have changed, and bytes without a row that are older
    than the grace. Exit status 0: all is well; 1: something was found.
    """
    settings = settings_for(data_dir)
    must_outlive_a_process(settings)
    leeway = settings.grace if grace is None else timedelta(seconds=grace)

    async def act(docstore: Docstore) -> list[Finding]:
        found = []
        async for finding in docstore.check(grace=leeway, read_data=not fast):
            found.append(finding)
            if not as_json:
                click.echo(_line(finding))
        return found

    found = with_store(settings, act)
    if as_json:
        print_json({"clean": not found, "findings": [asdict(finding) for finding in found]})
    else:
        click.echo(f"{len(found)} found" if found else "all is well")
    if found:
        raise SystemExit(Exit.FAILED)


def _line(finding: Finding) -> str:
    of = f" ({printable(finding.detail)})" if finding.detail else ""
    return f"{finding.trouble}: {printable(finding.key)}{of}"
