"""The worker: runs due jobs, and the loops that keep them moving. Any number may share a store."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

from docstore.application.docstore import Docstore
from docstore.domain.errors import Unavailable
from docstore.domain.ids import JobId
from docstore.entrypoints.metrics.meters import NO_METERS, Meters
from docstore.entrypoints.tracing import traced
from docstore.settings import Settings

log = logging.getLogger(__name__)

DISPATCH_BATCH = 32
GATHER = 0.02  # seconds from the first file of a burst to the look at due jobs
STOCK_INTERVAL = 5.0  # seconds between looks at how much there is to do, for the metrics


@asynccontextmanager
async def working(
    docstore: Docstore,
    settings: Settings,
    *,
    wake: asyncio.Event | None = None,
    meters: Meters = NO_METERS,
) -> AsyncIterator[None]:
    """While inside, due jobs are run. On leaving, running ones are given back to the queue.

    Setting `wake` saves the wait for the next look at due jobs.
    """
    background = docstore.background
    wake = wake or asyncio.Event()

    async def attempt(job_id: JobId) -> None:
        with traced():
            await background.work(job_id)

    async def sweep() -> None:
        meters.swept(await background.sweep(grace=settings.grace))

    async def take_stock() -> None:
        if meters is not NO_METERS:
            meters.took_stock(await background.take_stock())

    async with background.queue.consume(attempt, slots=settings.slots):
        loops = [
            asyncio.create_task(_dispatch(docstore, settings, wake)),
            _every(settings.reap_interval, background.release_expired),
            _every(settings.reconcile_interval, background.reconcile),
            _every(settings.sweep_interval, sweep),
            _every(STOCK_INTERVAL, take_stock),
        ]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)


@asynccontextmanager
async def dispatching(
    docstore: Docstore, settings: Settings, wake: asyncio.Event
) -> AsyncIterator[None]:
    """While inside, workers elsewhere are told of due jobs, through a queue that they share."""
    loop = asyncio.create_task(_dispatch(docstore, settings, wake))
    try:
        yield
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def _dispatch(docstore: Docstore, settings: Settings, wake: asyncio.Event) -> None:
    """At first, hints from before the start are told again: a queue inside the process that gave
    them went with it, and their patience would be waited for in vain.
    """
    dispatch = docstore.background.dispatch
    clock = asyncio.get_running_loop().time
    started, turns, limit = clock(), _Turns(), DISPATCH_BATCH
    while True:
        age = timedelta(seconds=clock() - started)
        told = await turns.take(partial(dispatch, limit=limit, age=age))
        if told != limit:
            await _wait(wake, settings.poll_interval)
        limit = 1 if told is None else DISPATCH_BATCH  # try with one whether it works again


async def _wait(wake: asyncio.Event, pause: float) -> None:
    """Until there is work, or for `pause`. Where one file comes, more do: they are waited for a
    moment, since looking takes a turn at the database that uploads want as well.
    """
    with suppress(TimeoutError):
        await asyncio.wait_for(wake.wait(), timeout=pause)
        await asyncio.sleep(min(GATHER, pause))
    wake.clear()


def _every(pause: float, act: Callable[[], Awaitable[object]]) -> asyncio.Task[None]:
    async def loop() -> None:
        turns = _Turns()
        while True:
            await turns.take(act)
            await asyncio.sleep(pause)

    return asyncio.create_task(loop())


class _Turns:
    """Of one loop, which outlives whatever goes wrong in one turn of it."""

    def __init__(self) -> None:
        self._told = ""

    async def take(self, act: Callable[[], Awaitable[object]]) -> object:
        """What `act` returns; None when it failed. Its own cancellation is not outlived, also when
        an error on the way out has taken the place of that.
        """
        result: object = None
        try:
            result = await act()
            self._told = ""
        except Unavailable as error:
            self._tell(str(error))
        except Exception:
            log.exception("a background loop failed; it goes on")
        if (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError
        return result

    def _tell(self, reason: str) -> None:
        """Once while it lasts: other parts say in detail what is wrong with them."""
        if reason != self._told:
            self._told = reason
            log.warning("a background loop failed; it goes on: %s", reason)
