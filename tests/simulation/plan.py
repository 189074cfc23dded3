"""What one schedule consists of, derived from its seed; a shrunk one overrides parts of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import Any


class Fault(StrEnum):
    """A kind of bad luck. Each seed has some of them, so that rare ones meet undisturbed."""

    CRASH = "crash"  # a process dies, at a port call or between any two steps
    FREEZE = "freeze"  # a process is stopped for longer than its lease, then goes on
    UNAVAILABLE = "unavailable"  # a port call fails, before or after it took effect
    OUTAGE = "outage"  # the database or the store fails most calls for a while
    SLOW = "slow"  # a port call takes many seconds
    HINTS = "hints"  # lost, doubled, late and reordered
    CLOCK = "clock"  # the database's clock jumps by up to an hour
    STOP = "stop"  # a worker is asked to stop, and replaced
    HANG_UP = "hang-up"  # a client abandons its request
    PARSER = "parser"  # parsers die, and sometimes have nothing to read from


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is not drawn step by step."""

    seed: int
    faults: Sequence[Fault]
    intensity: float  # multiplies the chances of all faults
    apis: int
    workers: int
    clients: int
    actions: int  # of each client
    max_parts: int  # of one upload
    think: float  # seconds a client pauses between actions, on average
    grace: float  # seconds, of the sweeper
    storm: float  # seconds until faults stop, at the latest

    @classmethod
    def of(cls, seed: int) -> "Plan":
        draw = Random(f"{seed}/plan")
        faults = [f for f in Fault if draw.random() < (0.45 if f is Fault.CLOCK else 0.7)]
        # A grace shorter than a clock's jump would be a wrong setting, not bad luck.
        long = Fault.CLOCK in faults
        return cls(
            seed=seed,
            faults=faults,
            intensity=draw.choice([0.3, 1.0, 1.0, 3.0]),
            apis=draw.randint(1, 2),
            workers=draw.randint(1, 3),
            clients=draw.randint(1, 3),
            actions=draw.randint(3, 8),
            max_parts=draw.randint(1, 3),
            think=draw.choice([0.2, 3.0, 15.0]) if long else draw.choice([0.2, 3.0, 40.0]),
            grace=6 * 3600.0 if long else 240.0,
            storm=400.0,
        )

    def but(self, **changes: Any) -> "Plan":
        """The same plan with other parts."""
        return replace(self, **changes)

    def chance(self, seed_of: str) -> Random:
        """A stream of its own for each subject, so that changing one leaves the others."""
        return Random(f"{self.seed}/{seed_of}")

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.clients} clients x {self.actions} actions, "
            f"{self.apis} APIs, {self.workers} workers, faults x{self.intensity:g}: "
            f"{', '.join(self.faults) or 'none'}"
        )
