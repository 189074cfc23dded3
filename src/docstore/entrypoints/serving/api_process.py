"""An API process: a child of `docstore serve` that answers HTTP on a socket it was given."""

import asyncio
import gc
import socket

import uvloop
from dependency_injector import providers

from docstore.container import Container, migrate
from docstore.entrypoints.http.crowding import take_all_descriptors
from docstore.entrypoints.http.server import serve_http
from docstore.entrypoints.http.sharing import Share
from docstore.entrypoints.metrics.exposition import meters
from docstore.entrypoints.serving import bell
from docstore.entrypoints.worker import dispatching
from docstore.settings import Settings


def run(
    settings: Settings,
    listener: socket.socket,
    ring: socket.socket,
    share: Share,
    *,
    migrates: bool,
    dispatches: bool,
) -> None:
    """Until SIGTERM, and until running requests are answered. `dispatches` when no worker is there
    to be rung for, and those elsewhere can be told.
    """
    container = Container(settings=settings)
    container.wake.override(bell.ringer(ring))
    _collect_garbage_seldom()
    take_all_descriptors()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(container, listener, share, migrates, dispatches))


async def _serve(
    container: Container,
    listener: socket.socket,
    share: Share,
    migrates: bool,
    dispatches: bool,
) -> None:
    settings = container.settings()
    if migrates:
        await migrate(container)
    if not dispatches:
        await serve_http(container, listener, meters(settings), share=share)
        return
    wake = asyncio.Event()
    with container.wake.override(providers.Object(wake.set)):
        await serve_http(
            container,
            listener,
            meters(settings),
            lambda docstore: dispatching(docstore, settings, wake),
            share,
        )


def _collect_garbage_seldom() -> None:
    """What is loaded now stays until the end, and requests leave few cycles behind."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
