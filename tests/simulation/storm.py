"""The bad luck of a schedule: what happens to port calls, hints, processes and the clock."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
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
STORE: Final = frozenset({"put", "open", "read", "stat", "copy", "delete", "list", "list.next", "tidy"})


class Storm:
    """Each port call takes a moment, often; some fail, some never return."""

    def __init__(self, plan: Plan, *, kill: Callable[[Process, str], None]) -> None:
        chance = plan.chance("ports")
        self._random = chance.random
        self._uniform = chance.uniform
        self._plan = plan
        self._kill = kill
        self._outages = _outages(plan)
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
            await self._misfortune(process, f"{when} {call}", luck)
        if luck > (0.6 if when == "before" else 0.85):
            await asyncio.sleep(0.004 * luck**40)  # from now to a little later

    async def _misfortune(self, process: Process, where: str, luck: float) -> None:
        if luck < self._crash:
            self._kill(process, where)
            await asyncio.get_running_loop().create_future()  # nobody will ever resume this
        elif luck < self._unavailable or self._is_out(where):
            self._note(process, f"unavailable {where}")
            raise OutOfSpace("full") if luck % 1e-4 < 2e-5 else Unavailable(f"out {where}")
        elif luck < self._slow:
            self._note(process, f"slow {where}")
            await asyncio.sleep(self._uniform(0.5, 25.0 if Fault.CLOCK in self._plan.faults else 8.0))

    def _is_out(self, where: str) -> bool:
        while self._outages and self._outages[0][1] < self._time():
            self._outages = self._outages[1:]
        if not self._outages or self._outages[0][0] > self._time():
            return False
        hits_store = where.partition(" ")[2] in STORE
        return hits_store is self._outages[0][2] and self._random() < OUTAGE

    def _note(self, process: Process, what: str) -> None:
        self.last_fault = self._time()
        self.trace.append((self._time(), process.name, what))


def _outages(plan: Plan) -> Sequence[tuple[float, float, bool]]:
    """(from, until, of the store rather than the database), in order, not overlapping."""
    if Fault.OUTAGE not in plan.faults:
        return ()
    draw: Random = plan.chance("outages")
    found, at = [], 0.0
    for _ in range(draw.randint(1, 3)):
        at += draw.expovariate(1 / 20)
        until = at + draw.uniform(1, 40)
        found.append((at, until, draw.random() < 0.5))
        at = until
    return found
