"""An event loop without selector, threads and waiting: time is a number, order is drawn by lot."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import Executor
from contextlib import suppress
from contextvars import Context
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Final, TypeVar, TypeVarTuple

from simulation.process import PROCESS, Process

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

MAX_STEPS: Final = 400_000


class Stuck(Exception):
    """Nothing is left that could happen, or things happen without end."""


class SimulatedLoop(asyncio.AbstractEventLoop):
    """Runs one step at a time, of a process chosen by lot; when none is ready, jumps to the next
    timer. Inside one process steps keep their order, as asyncio promises.
    """

    def __init__(self, random: Random) -> None:
        self._draw = random.random
        self._time = 0.0  # seconds since the start
        self._ready: list[tuple[Process | None, asyncio.Handle]] = []
        self._timers: list[tuple[float, int, Process | None, asyncio.TimerHandle]] = []
        self._order = count()
        self._tasks: list[asyncio.Task[Any]] = []  # kept: a task that is collected runs `finally`
        self._closed = False
        self.steps = 0
        self.stopped = False  # set to leave at once

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """Until `main` is done or `stopped` is set. Raises what `main` raises, or Stuck."""
        task = self.create_task(main)
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=None, finalizer=self._close_generator)
        asyncio._set_running_loop(self)
        try:
            while not task.done() and not self.stopped:
                self._step()
        finally:
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)
        if task.done():
            task.result()

    def skip(self, seconds: float) -> None:
        """Let time pass in which nothing is done: timers that fall due meanwhile are late."""
        self._time += seconds

    def revive(self, process: Process) -> None:
        """Let a frozen process go on where it stopped."""
        if process.is_frozen:
            process.is_frozen, process.last_frozen = False, self._time
        self._ready += [(process, handle) for handle in process.held]
        process.held.clear()

    def close(self) -> None:
        """Drop all tasks, whose ports are dead by now, so that none is heard of again."""
        self._closed = True
        asyncio._set_running_loop(self)  # for cleanups that make tasks, which never start
        try:
            for task in self._tasks:
                if not task.done():
                    _bury(task)
        finally:
            asyncio._set_running_loop(None)
        self._tasks.clear()
        self._ready.clear()
        self._timers.clear()

    def _step(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Stuck(f"not done after {MAX_STEPS} steps")
        if not self._ready:
            self._to_next_timer()
        process, handle = self._pick()
        if process is not None and process.is_dead:
            return
        if process is not None and process.is_frozen:
            process.held.append(handle)
        elif not handle.cancelled():
            handle._run()  # what every loop calls; asyncio has no public name for it

    def _pick(self) -> tuple[Process | None, asyncio.Handle]:
        ready = self._ready
        if len(ready) == 1:
            return ready.pop()
        process = ready[int(self._draw() * len(ready))][0]
        return ready.pop(next(i for i, step in enumerate(ready) if step[0] is process))

    def _to_next_timer(self) -> None:
        while self._timers:
            when, _, process, handle = heappop(self._timers)
            if not handle.cancelled():
                self._time = max(self._time, when)
                self._ready.append((process, handle))
                return
        raise Stuck("everybody waits for somebody")

    def _close_generator(self, generator: AsyncGenerator[Any, Any]) -> None:
        self.call_soon(lambda: self.create_task(_closing(generator)))

    # What asyncio asks of a loop.

    def time(self) -> float:
        return self._time

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if not self._closed:
            self._ready.append((_owner(context), handle))
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if not self._closed:
            heappush(self._timers, (when, next(self._order), _owner(context), handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._time + delay, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Any,
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks.append(task)
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return self._closed

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An error that nobody asked for is no news here: promises are checked, not logs."""

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        raise AssertionError(f"{func} wants a thread: keep the bodies small")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Asked of every loop; here a cancelled timer is skipped when its time comes."""


def simulated_loop(random: Random) -> SimulatedLoop:
    """A new one. What no simulation asks of a loop, sockets and signals, it does not have."""
    return SimulatedLoop(random)  # type: ignore[abstract]


def _owner(context: Context | None) -> Process | None:
    return PROCESS.get() if context is None else context.get(PROCESS)


async def _closing(generator: AsyncGenerator[Any, Any]) -> None:
    with suppress(Exception):
        await generator.aclose()


def _bury(task: asyncio.Task[Any]) -> None:
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio.gather does the same
    coroutine = task.get_coro()
    for _ in range(10):  # a `finally` that awaits has to be left by force, one at a time
        with suppress(BaseException):
            coroutine.close()
            return
