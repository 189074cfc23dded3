import asyncio
from pathlib import Path

import click

from docstore import container
from docstore.entrypoints.cli.options import data_dir_option, settings_for


@click.command()
@data_dir_option
def migrate(data_dir: Path | None) -> None:
    """Bring the database's tables up to this version. `serve` does so at its start."""
    settings = settings_for(data_dir)
    asyncio.run(container.migrate(container.Container(settings=settings)))
    click.echo("the database is up to date")
