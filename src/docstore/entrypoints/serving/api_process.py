"""An API process: a child of `docstore serve` that answers HTTP on a socket it was given."""

import asyncio
import gc
import socket

import uvloop

from docstore.container import Container, migrate
from docstore.entrypoints.http.crowding import take_all_descriptors
from docstore.entrypoints.http.server import serve_http
from docstore.entrypoints.metrics.exposition import meters
from docstore.entrypoints.serving import bell
from docstore.settings import Settings


def run(settings: Settings, listener: socket.socket, ring: socket.socket, migrates: bool) -> None:
    """Until SIGTERM, and until running requests are answered."""
    container = Container(settings=settings)
    container.wake.override(bell.ringer(ring))
    _collect_garbage_seldom()
    take_all_descriptors()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(container, listener, migrates))


async def _serve(container: Container, listener: socket.socket, migrates: bool) -> None:
    if migrates:
        await migrate(container)
    await serve_http(container, listener, meters(container.settings()))


def _collect_garbage_seldom() -> None:
    """What is loaded now stays until the end, and requests leave few cycles behind."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
