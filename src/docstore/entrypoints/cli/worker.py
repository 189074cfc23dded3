from pathlib import Path

import click

from docstore.entrypoints.cli.options import data_dir_option, settings_for
from docstore.entrypoints.cli.stores import must_outlive_a_process


@click.command()
@data_dir_option
def worker(data_dir: Path | None) -> None:
    """Process what is due, without serving HTTP.

    Any number of workers may share a store. Ctrl-C or SIGTERM gives running jobs back.
    """
    from docstore.entrypoints.serving import worker_process

    settings = settings_for(data_dir, is_service=True)
    must_outlive_a_process(settings)
    worker_process.run(settings, lambda: click.echo(f"the worker runs ({settings.slots} at once)"))
