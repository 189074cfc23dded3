"""Child processes that are kept running until told to stop, then drained."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from docstore.entrypoints.serving.child import Child, Start

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.2  # seconds before a child that ended is started again; doubled each time
LONGEST_PAUSE: Final = 30.0
STEADY: Final = 60.0  # seconds after which a child counts as having lived well
MARGIN: Final = 5.0  # seconds beyond the drain's own limit, for closing what is open
CANNOT_START: Final = 127  # the exit status that a shell gives what it cannot start


class ChildFailed(Exception):
    """A child never came up; it said on stderr why. `status` is its exit status."""

    def __init__(self, name: str, status: int) -> None:
        super().__init__(f"the {name} {_how(status)}, before it was up")
        self.status = status


@dataclass(frozen=True, slots=True)
class Role:
    """A child and how to start it: `start` is given the number of the start, from 1.

    When it ends by itself before `up` is set, that is the end of all: whatever is wrong is wrong
    with the set-up, and it has said so. One that is killed is started again at any time.
    """

    name: str
    start: Callable[[int], Start]
    up: asyncio.Event = field(default_factory=asyncio.Event)


class Crew:
    """Made, and used, on one event loop in the main thread: children are bound to that thread."""

    def __init__(self, drain_seconds: float) -> None:
        self._patience = drain_seconds + MARGIN
        self._stopping = asyncio.Event()
        self._hurrying = asyncio.Event()
        self._keepers: set[asyncio.Task[None]] = set()
        self._failure: ChildFailed | None = None

    def keep(self, role: Role) -> None:
        """Start it, and again whenever it ends."""
        self._keepers.add(asyncio.create_task(self._keep(role)))

    def stop(self) -> None:
        """Drain; asked twice, kill."""
        if self._stopping.is_set():
            self._hurrying.set()
        self._stopping.set()

    async def reach(self, goal: Coroutine[Any, Any, None]) -> bool:
        """Whether `goal` was reached before the crew was told to stop, or one of it failed."""
        task = asyncio.create_task(goal)
        await _first(task, self._stopping.wait())
        if task.done():
            task.result()
            return True
        task.cancel()
        await asyncio.wait({task})
        return False

    async def ended(self) -> None:
        """Until told to stop and all are gone. ChildFailed when one never came up."""
        await self._stopping.wait()
        await asyncio.gather(*self._keepers)
        if self._failure is not None:
            raise self._failure

    async def _keep(self, role: Role) -> None:
        pause = FIRST_PAUSE / 2
        for number in count(1):
            if self._stopping.is_set():
                return
            began = asyncio.get_running_loop().time()
            status = await self._run(role.start(number))
            if self._stopping.is_set():
                return
            if status >= 0 and not role.up.is_set():
                self._fail(ChildFailed(role.name, status))
                return
            lived = asyncio.get_running_loop().time() - began
            pause = FIRST_PAUSE if lived > STEADY else min(pause * 2, LONGEST_PAUSE)
            log.error("the %s %s; it starts again in %.1f s", role.name, _how(status), pause)
            await _first(self._stopping.wait(), timeout=pause)

    def _fail(self, failure: ChildFailed) -> None:
        self._failure = self._failure or failure
        self._stopping.set()

    async def _run(self, start: Start) -> int:
        """Its exit status, drained when it is told to stop."""
        try:
            child = Child(start)
        except OSError as error:
            log.error("no process can be started: %s", error)  # noqa: TRY400 (the reason is all)
            return CANNOT_START
        try:
            await _first(child.wait(), self._stopping.wait())
            await self._drain(child)
        finally:
            child.send(signal.SIGKILL)
        return await child.wait()

    async def _drain(self, child: Child) -> None:
        if child.has_ended:
            return
        child.send(signal.SIGTERM)
        await _first(child.wait(), self._hurrying.wait(), timeout=self._patience)
        if not child.has_ended:
            log.warning("process %d did not stop in time and is killed", child.pid)


def _how(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


async def _first(*goals: Awaitable[Any], timeout: float | None = None) -> None:
    """Until one of `goals` is there, or `timeout` seconds are over. Coroutines left are ended."""
    given = {goal for goal in goals if isinstance(goal, asyncio.Future)}
    made = {asyncio.ensure_future(goal) for goal in goals if goal not in given}
    try:
        await asyncio.wait(given | made, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in made:
            task.cancel()
        await asyncio.gather(*made, return_exceptions=True)
