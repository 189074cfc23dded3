"""A worker in a process of its own, with or without a `docstore serve` above it."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, get_native_id
from typing import Any, Final

from docstore.container import Container, migrate, running
from docstore.entrypoints.metrics.exposition import exposed, meters
from docstore.entrypoints.metrics.meters import Meters
from docstore.entrypoints.serving import bell
from docstore.entrypoints.worker import working
from docstore.settings import Settings

log = logging.getLogger(__name__)

NICENESS: Final = 10  # beside processes that answer HTTP: of parsers, and of what starts them
LAST: Final = 19  # of the event loop: what it does has no limit by the clock, as parsers have
THREADS: Final = min(32, (os.cpu_count() or 1) + 4)  # as asyncio has by itself


def run(settings: Settings, ready: Callable[[], None]) -> None:
    """Run due jobs until SIGTERM or SIGINT, then give running ones back. `ready` is called once
    it works.
    """
    with exposed(settings):
        asyncio.run(_until_told(_work_alone(settings, ready)))


def run_supervised(
    settings: Settings, line: socket.socket, releases: Sequence[str], *, waits: bool
) -> None:
    """The same below a `serve`, which migrates; with `waits` it rings once it has. First of all,
    the jobs of dead workers whose names begin with one of `releases` are put back.

    It gives way to the processes that answer, for they have people who wait.
    """
    asyncio.run(_until_told(_work_for_serve(settings, line, releases, waits)))


async def _work_alone(settings: Settings, ready: Callable[[], None]) -> None:
    told = meters(settings)
    container = _watched(settings, told)
    await migrate(container)
    async with running(container) as docstore, working(docstore, settings, meters=told):
        ready()
        await _for_ever()


async def _work_for_serve(
    settings: Settings, line: socket.socket, releases: Sequence[str], waits: bool
) -> None:
    _give_way()
    wake = asyncio.Event()
    told = meters(settings)
    with bell.listening(line, wake.set):
        if waits:
            await wake.wait()
        async with running(_watched(settings, told)) as docstore:
            for name in releases:
                await docstore.background.release_held_by(name)
            async with working(docstore, settings, wake=wake, meters=told):
                bell.ringer(line)()
                await _for_ever()


def _give_way() -> None:
    """Linux knows a niceness for each thread, which its children inherit. So asyncio's threads come
    first, of which one starts the parsers.
    """
    with suppress(OSError):
        os.nice(NICENESS)
    if sys.platform != "linux":
        return
    threads = ThreadPoolExecutor(THREADS)
    asyncio.get_running_loop().set_default_executor(threads)
    all_run = Event()
    try:
        for _ in range(THREADS):  # each finds the others at work, and starts one more
            threads.submit(all_run.wait)
    except RuntimeError as error:
        log.warning("the worker does not give way as it should: %s", error)
        return
    finally:
        all_run.set()
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, get_native_id(), LAST)


def _watched(settings: Settings, told: Meters) -> Container:
    container = Container(settings=settings)
    container.saw_attempt.override(told.attempted)
    container.saw_extraction.override(told.extracted)
    return container


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """`work`, cancelled by a signal; a second signal ends the process as it stands."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)
        task.cancel()

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop)
    with suppress(asyncio.CancelledError):
        await task
