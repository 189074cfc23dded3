"""The processes below `docstore serve`. Not for people: they are given open descriptors."""

import os
import socket
from collections.abc import Sequence

import click

from docstore.entrypoints.cli.options import settings_for
from docstore.entrypoints.serving import lineage


@click.command(hidden=True)
@click.option("--parent", type=int, required=True)
@click.option("--listener", type=int, required=True)
@click.option("--bell", type=int, required=True)
@click.option("--lock", type=int, required=True)
@click.option("--shares", type=int, required=True)
@click.option("--place", type=int, required=True)
@click.option("--migrate", is_flag=True)
@click.option("--dispatch", is_flag=True)
def api(
    parent: int,
    listener: int,
    bell: int,
    lock: int,
    shares: int,
    place: int,
    migrate: bool,
    dispatch: bool,
) -> None:
    lineage.end_with(parent)
    _keep_to_ourselves(listener, bell, lock, shares)
    settings = settings_for(None, is_service=True)
    from docstore.entrypoints.http.sharing import Share
    from docstore.entrypoints.serving import api_process

    share = Share(shares, place)
    with socket.socket(fileno=listener) as listening, socket.socket(fileno=bell) as ring:
        api_process.run(settings, listening, ring, share, migrates=migrate, dispatches=dispatch)


@click.command(hidden=True)
@click.option("--parent", type=int, required=True)
@click.option("--bell", type=int, required=True)
@click.option("--lock", type=int, required=True)
@click.option("--release", multiple=True)
@click.option("--wait", is_flag=True)
def worker(parent: int, bell: int, lock: int, release: Sequence[str], wait: bool) -> None:
    lineage.end_with(parent)
    _keep_to_ourselves(bell, lock)
    settings = settings_for(None, is_service=True)
    from docstore.entrypoints.serving import worker_process

    with socket.socket(fileno=bell) as line:
        worker_process.run_supervised(settings, line, release, waits=wait)


def _keep_to_ourselves(*descriptors: int) -> None:
    """The lock says that one of docstore's own processes lives; a parser's would say it too."""
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
