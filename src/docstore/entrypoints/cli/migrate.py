import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

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

    settings = settings_for(data_dir)
    holder = container.Container(settings=settings)
    try:
        asyncio.run(_unless_told_to_end(container.migrate(holder, storage_may_be_away=False)))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    if as_json:
        print_json({"is_current": True})
    else:
        click.echo("the database is up to date")


async def _unless_told_to_end(work: Coroutine[Any, Any, None]) -> None:
    """By a handler for each signal: the first process of a container does not end by one that it
    leaves alone, and whoever starts a job in the background has it ignore Ctrl-C.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, task.cancel)
    await work
