"""What a fault happens to: a process of its own, though all of them share one thread here."""

import asyncio
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any


class Dead(BaseException):
    """Raised by every port call of a dead process, so that no cleanup of its reaches anything."""


@dataclass(slots=True, eq=False)
class Process:
    """One process of the operating system. Dying, it runs no cleanup: its tasks are never resumed.

    Frozen, as by SIGSTOP, it takes no step; what would have run meanwhile runs on reviving.
    """

    name: str
    is_dead: bool = False
    is_frozen: bool = False
    last_frozen: float = 0.0  # seconds since the start: when it was revived
    held: list[asyncio.Handle] = field(default_factory=list)  # steps that wait for the reviving
    requests: dict[asyncio.Future[Any], None] = field(default_factory=dict)  # not answered yet

    @property
    def is_up(self) -> bool:
        return not self.is_dead and not self.is_frozen


PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)
"""Whose step is running. Tasks inherit it; None is the world outside: clients, the broker, fate."""


def current_name() -> str:
    """Of the process whose step is running."""
    process = PROCESS.get()
    return process.name if process else "world"


def inside(process: Process) -> Context:
    """A context whose tasks and callbacks belong to `process`, and die with it."""
    context = copy_context()
    context.run(PROCESS.set, process)
    return context


def outside() -> Context:
    """A context of the world, which no crash touches."""
    context = copy_context()
    context.run(PROCESS.set, None)
    return context
