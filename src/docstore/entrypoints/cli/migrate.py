import asyncio
import signal
from pathlib import Path

import click

from docstore.entrypoints.cli.options import (
    data_dir_option,
    json_option,
    print_json,
    settings_for,
)


@click.command()
@data_dir_option
@json_option
def migrate(data_dir: Path | None, as_json: bool) -> None:
    """Bring the database's tables up to this version. `serve` does so at its start.

    Makes the buckets of an S3 store, too, where they are missing.
    """
    from docstore import container

    # As Ctrl-C: the first process of a container does not end by a signal that it leaves alone.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    settings = settings_for(data_dir)
    holder = container.Container(settings=settings)
    asyncio.run(container.migrate(holder, storage_may_be_away=False))
    if as_json:
        print_json({"is_current": True})
    else:
        click.echo("the database is up to date")
