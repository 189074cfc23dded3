"""`docstore serve`: API processes and mostly a worker, supervised, on one held data directory."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from docstore.entrypoints.http.sharing import shared_table
from docstore.entrypoints.metrics.exposition import exposed, shared_folder
from docstore.entrypoints.secrecy import refuse_published
from docstore.entrypoints.serving import bell, folder
from docstore.entrypoints.serving.address import answering, listen, stop_listening, url_of
from docstore.entrypoints.serving.child import Start
from docstore.entrypoints.serving.crew import Crew, Role
from docstore.settings import Settings

log = logging.getLogger(__name__)

_STOPS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_ALLOCATOR: Final = {
    "MALLOC_MMAP_THRESHOLD_": "4194304",
    "MALLOC_TRIM_THRESHOLD_": "33554432",
    "MALLOC_ARENA_MAX": "2",
}
"""Buffers of request bodies come and go; glibc would give each back to the kernel, zeroed anew. And
it would keep as much again for every thread that reads from a store: Python runs one at a time.
"""

_WORKERS_ALLOCATOR: Final = {"MALLOC_MMAP_THRESHOLD_": "1048576"}
"""What a parser found may be large and is soon gone; glibc would keep its room in every thread."""


def serve(settings: Settings, announce: Callable[[str], None], *, works: bool = True) -> None:
    """Serve until told to stop by SIGTERM, SIGINT or SIGHUP. `announce` is given the URL once the
    API answers there. Unless it `works`, jobs are left to workers elsewhere.

    Raises PublishedSecret, Held, CannotListen, NoAnswer, or ChildFailed when a process cannot
    start.
    """
    refuse_published(settings)
    settings = settings.as_served
    folder.make_private(settings.data_dir)
    with (
        folder.held(settings.data_dir) as hold,
        listen(settings) as listener,
        shared_table(settings.api_processes) as shares,
        shared_folder(settings),
        exposed(settings),
    ):
        asyncio.run(_serve(_Outfit(settings, hold, listener, shares, works), announce))


class _Outfit:
    """What the children are given."""

    def __init__(
        self,
        settings: Settings,
        hold: folder.Hold,
        listener: socket.socket,
        shares: int,
        works: bool,
    ) -> None:
        self.settings = settings
        self.works = works
        self.hold = hold
        self.listener = listener
        self._shares = shares
        self.url = url_of(listener, settings)
        self._listening = listener.fileno()  # it may be closed when this is asked for
        self.api_end, self.worker_end = bell.pair()

    def close(self) -> None:
        self.api_end.close()
        self.worker_end.close()

    def api(self, number: int) -> Role:
        """The first one migrates, also when it starts again: then there is nothing to do."""
        flags = ("--migrate",) if number == 1 else ()
        if not self.works and self.settings.has_shared_queue:
            flags = (*flags, "--dispatch")
        place = ("--shares", str(self._shares), "--place", str(number - 1))
        passed = (self._listening, self.api_end.fileno(), self.hold.descriptor)
        arguments = ("_api", *_bound(*passed), *place, *flags)
        start = Start(arguments, self._environment(_ALLOCATOR), (*passed, self._shares))
        return Role(f"API process {number}", lambda _: start)

    def worker(self, migrated: asyncio.Event) -> Role:
        """It loads what it needs, then waits for the bell until the tables are `migrated`."""
        passed = (self.worker_end.fileno(), self.hold.descriptor)
        instance = self.hold.instance

        def start(number: int) -> Start:
            dead = self.hold.dead if number == 1 else (*self.hold.dead, f"{instance}:")
            releases = [word for name in dead for word in ("--release", name)]
            waits = () if migrated.is_set() else ("--wait",)
            arguments = ("_worker", *_bound(*passed), *releases, *waits)
            name = {"DOCSTORE_WORKER_NAME": f"{instance}:{number}"}
            return Start(arguments, self._environment(_WORKERS_ALLOCATOR | name), passed)

        return Role("worker", start)

    def _environment(self, more: Mapping[str, str]) -> Mapping[str, str]:
        """What the command line changed, for settings that the children read again."""
        chosen = {
            "DOCSTORE_DATA_DIR": str(self.settings.data_dir.absolute()),
            "DOCSTORE_HOST": self.settings.host,
            "DOCSTORE_PORT": str(self.settings.port),
            "DOCSTORE_API_PROCESSES": str(self.settings.api_processes),
            "DOCSTORE_LOG_LEVEL": self.settings.log_level,
        }
        return {**chosen, **more}


def _bound(*descriptors: int) -> tuple[str, ...]:
    names = "--listener", "--bell", "--lock"
    given = zip(names[-len(descriptors) :], map(str, descriptors), strict=True)
    return ("--parent", str(os.getpid()), *(word for pair in given for word in pair))


async def _serve(given: _Outfit, announce: Callable[[str], None]) -> None:
    crew = Crew(given.settings.drain_timeout)

    def stop() -> None:
        stop_listening(given.listener)
        crew.stop()

    try:
        with _told_to_stop(stop):
            await _run(given, crew, announce)
    finally:
        given.close()


async def _run(given: _Outfit, crew: Crew, announce: Callable[[str], None]) -> None:
    _warn(given.settings)
    first = given.api(1)
    worker = given.worker(migrated=first.up)

    def worker_is_up() -> None:
        worker.up.set()
        given.hold.forget_dead()

    crew.keep(first)
    if given.works:
        crew.keep(worker)
    with bell.listening(given.api_end, worker_is_up):
        try:
            if await crew.reach(answering(given.listener, given.settings)):
                first.up.set()
                bell.ringer(given.api_end)()
                _start_the_others(given, crew)
                announce(given.url)
        except BaseException:
            crew.stop()
            raise
        finally:
            await crew.ended()


def _start_the_others(given: _Outfit, crew: Crew) -> None:
    """Only now: the first one has migrated, or has found that there is nothing to do."""
    for number in range(2, given.settings.api_processes + 1):
        role = given.api(number)
        role.up.set()  # what the first one could, it can
        crew.keep(role)


@contextmanager
def _told_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Signals ask to drain, a second one to stop at once; an ignored hangup stays ignored."""
    loop = asyncio.get_running_loop()
    heard = [each for each in _STOPS if signal.getsignal(each) is not signal.SIG_IGN]
    for each in heard:
        loop.add_signal_handler(each, stop)
    try:
        yield
    finally:
        for each in heard:
            loop.remove_signal_handler(each)


def _warn(settings: Settings) -> None:
    if settings.is_public and settings.registration == "open":
        log.warning(
            "anybody who reaches %s may register: DOCSTORE_REGISTRATION=closed ends that",
            settings.host,
        )
    if settings.is_shared and not settings.jwt_secret:
        log.warning(
            "tokens of this machine hold at no other one: DOCSTORE_JWT_SECRET, the same for all, "
            "ends that"
        )
