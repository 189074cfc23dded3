"""A target in one round, with what earlier rows stored there, and how a plan is measured on it."""

import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from places import GIB
from plan import Plan, Played
from processes import busy_seconds, cpu_seconds, settle
from targets import Target

LONGEST: Final = 900.0  # seconds that one plan may take
_LOADGEN: Final = Path(__file__).parent / "loadgen.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One row, one target, one round."""

    value: float  # in the row's unit
    p99: float | None = None  # milliseconds
    cpu: float | None = None  # CPU-s of the server: for each GiB, or milliseconds for each request
    load: float | None = None  # cores that the generator used
    others: float | None = None  # cores that went to strangers meanwhile, or to the host
    note: str = ""


@dataclass(slots=True)
class Stage:
    target: Target
    source: Path  # of big bodies
    seconds: float  # that a phase of many requests takes
    big: list[str] = field(default_factory=list)  # locations of 1 GiB
    small: list[str] = field(default_factory=list)  # of 100 KiB each; or of seeded files
    idle: float = 0.0  # MiB, warm, before the transfers whose memory is measured
    parallel: list[str] = field(default_factory=list)  # of what was uploaded all at once

    def moved(self, plan: Plan, *, settles: bool = True) -> tuple[Measured, Played]:
        """MB/s of a plan whose bytes are what counts."""
        played, cpu, others = self._play(plan, settles)
        size = played.sent or played.received
        measured = Measured(
            value=size / played.seconds / 1e6,
            cpu=cpu / (size / GIB) if size else None,
            load=played.cpu / played.seconds,
            others=others,
            note=_complaint(played),
        )
        return measured, played

    def answered(self, plan: Plan) -> tuple[Measured, Played]:
        """Requests a second."""
        timed = plan if plan.requests else replace(plan, seconds=self.seconds)
        played, cpu, others = self._play(timed, settles=True)
        measured = Measured(
            value=played.requests / played.seconds,
            p99=played.p99,
            cpu=cpu / max(1, played.requests) * 1000,
            load=played.cpu / played.seconds,
            others=others,
            note=_complaint(played),
        )
        return measured, played

    def prepared(self, plan: Plan) -> Played:
        """Not measured."""
        return _run(plan)

    def _play(self, plan: Plan, settles: bool) -> tuple[Played, float, float]:
        if settles and not settle(*self.target.pids):
            sys.stderr.write(f"{self.target.name} does not come to rest\n")
        cpu, busy = cpu_seconds(*self.target.pids), busy_seconds()
        played = _run(plan)
        cpu = cpu_seconds(*self.target.pids) - cpu
        others = busy_seconds() - busy - cpu - played.cpu
        return played, cpu, max(0.0, others) / played.seconds


def _run(plan: Plan) -> Played:
    done = subprocess.run(
        [sys.executable, _LOADGEN],
        input=plan.dumped(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=LONGEST,
        check=True,
    )
    return Played.loaded(done.stdout)


def _complaint(played: Played) -> str:
    return "; ".join(f"{count} x {what}" for what, count in played.errors.items())
