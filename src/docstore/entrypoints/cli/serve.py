import signal
from pathlib import Path

import click

from docstore.entrypoints.cli.options import (
    data_dir_option,
    json_option,
    print_json,
    settings_for,
)
from docstore.entrypoints.cli.stores import must_outlive_a_process
from docstore.entrypoints.serving import lineage


@click.command()
@data_dir_option
@click.option("--host", help="Instead of DOCSTORE_HOST.")
@click.option("--port", type=int, help="Instead of DOCSTORE_PORT; 0 picks a free one.")
@click.option("--no-worker", is_flag=True, help="Leave the jobs to `docstore worker` elsewhere.")
@click.option("--parent", type=int, hidden=True, help="Stop when that process ends.")
@json_option
def serve(
    data_dir: Path | None,
    host: str | None,
    port: int | None,
    no_worker: bool,
    parent: int | None,
    as_json: bool,
) -> None:
    """Serve HTTP, and process what comes in, until told to stop.

    Ctrl-C or SIGTERM lets running requests finish and gives running jobs back; a second one stops
    at once. One data directory is held by one `serve` at a time.
    """
    if parent is not None:
        lineage.end_with(parent, signal.SIGTERM)
    from docstore.entrypoints.serving import server

    settings = settings_for(data_dir, is_service=True, host=host, port=port)
    must_outlive_a_process(settings)

    def announce(url: str) -> None:
        if as_json:
            print_json({"url": url, "data_dir": str(settings.data_dir.absolute())})
        else:
            click.echo(f"docstore serves {url} (files in {settings.data_dir}; Ctrl-C stops)")

    server.serve(settings, announce, works=not no_worker)
