"""The bad luck of a schedule: what happens to port calls, hints, processes and the clock."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from docstore.domain.errors import OutOfSpace, Unavailable
from simulation.plan import Fault, Plan
from simulation.process import Process

CHANCES: Final = {  # of one port call
    Fault.CRASH: 0.002,
    Fault.UNAVAILABLE: 0.01,
    Fault.SLOW: 0.004,
}
OUTAGE: Final = 0.6  # of a call, while what it goes to is out
STORE: Final = frozenset(
    {"put", "open", "read", "stat", "copy", "delete", "list", "list.next", "tidy"}
)


class Storm:
    """Each port call takes a moment, often; some fail, some never return."""

    def __init__(self, plan: Plan, *, kill: Callable[[Process, str], None]) -> None:
        chance = plan.chance("ports")
        self._random = chance.random
        self._uniform = chance.uniform
        self._plan = plan
        self._kill = kill
        self._outages = _outages(plan)
        self._slowest = 25.0 if Fault.CLOCK in plan.faults else 8.0  # s; short under a short grace
        self._time: Callable[[], float] = lambda: 0.0
        self.is_over = False
        self.last_fault = 0.0  # when the database was last disturbed
        self.trace: list[tuple[float, str, str]] = []
        bounds = [CHANCES[f] * plan.intensity if f in plan.faults else 0.0 for f in CHANCES]
        self._crash, self._unavailable, self._slow = (sum(bounds[: i + 1]) for i in range(3))

    def begin(self, time: Callable[[], float]) -> None:
        self._time = time

    async def before(self, process: Process, call: str) -> None:
        self.trace.append((self._time(), process.name, call))
        await self._message(process, call, "before")

    async def after(self, process: Process, call: str) -> None:
        await self._message(process, call, "after")

    async def _message(self, process: Process, call: str, when: str) -> None:
        luck = self._random()
        if not self.is_over and (luck < self._slow or self._outages):
            await self._misfortune(process, when, call, luck)
        if luck > (0.7 if when == "before" else 0.85):
            await asyncio.sleep(0.004 * luck**40)  # from now to a little later

    async def _misfortune(self, process: Process, when: str, call: str, luck: float) -> None:
        where = f"{when} {call}"
        if luck < self._crash:
            self._kill(process, where)
            await asyncio.get_running_loop().create_future()  # nobody will ever resume this
            return
        outage = self._outage(where)
        if luck < self._unavailable or (outage and not outage.is_slow):
            self._note(process, f"unavailable {where}")
            # After a call: done, and nobody heard of it. Not so when the disk was full.
            is_full = when == "before" and luck % 1e-4 < 2e-5
            raise OutOfSpace("full") if is_full else Unavailable(f"out {where}")
        if luck < self._slow or outage:
            self._note(process, f"slow {where}")
            await asyncio.sleep(self._uniform(0.5, 3.0 if outage else self._slowest))

    def _outage(self, where: str) -> "Outage | None":
        while self._outages and self._outages[0].until < self._time():
            self._outages = self._outages[1:]
        if not self._outages or self._outages[0].since > self._time():
            return None
        outage = self._outages[0]
        hits_store = where.partition(" ")[2] in STORE
        return outage if hits_store is outage.of_store and self._random() < OUTAGE else None

    def _note(self, process: Process, what: str) -> None:
        self.last_fault = self._time()
        self.trace.append((self._time(), process.name, what))


@dataclass(frozen=True, slots=True)
class Outage:
    """A while in which most calls to the store, or to the database, fail or take long."""

    since: float  # seconds since the start
    until: float
    of_store: bool
    is_slow: bool


def _outages(plan: Plan) -> Sequence[Outage]:
    """In order, not overlapping."""
    if Fault.OUTAGE not in plan.faults:
        return ()
    draw = plan.chance("outages")
    found: list[Outage] = []
    for _ in range(draw.randint(1, 3)):
        since = (found[-1].until if found else 0.0) + draw.expovariate(1 / 20)
        until = since + draw.uniform(1, 40)
        found.append(Outage(since, until, draw.random() < 0.5, draw.random() < 0.4))
    return found
