"""Many schedules, on as many processes as asked for."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final

from simulation.plan import Plan
from simulation.world import World

SLICE: Final = 50  # schedules per task


@dataclass(slots=True)
class Summary:
    """What many schedules came to."""

    schedules: int = 0
    steps: int = 0
    breaches: dict[int, str] = field(default_factory=dict)  # seed to the promise it broke
    seen: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Summary") -> None:
        self.schedules += other.schedules
        self.steps += other.steps
        self.breaches |= other.breaches
        self.seen += other.seen

    def __str__(self) -> str:
        met = "".join(f"\n  {count:>9,} {what}" for what, count in sorted(self.seen.items()))
        broken = "".join(f"\nseed {seed} breaks {how}" for seed, how in self.breaches.items())
        return f"{self.schedules:,} schedules, {self.steps:,} steps{met}{broken}"


def run(seeds: Sequence[int]) -> Summary:
    """One after the other, in this process."""
    summary = Summary()
    for seed in seeds:
        outcome = World(Plan.of(seed)).run()
        summary.schedules += 1
        summary.steps += outcome.steps
        summary.seen += outcome.seen
        if outcome.breach:
            summary.breaches[seed] = outcome.breach
    return summary


def run_many(seeds: Sequence[int], *, processes: int) -> Summary:
    """In any order; each schedule is its seed's, whoever runs it."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return _gathered(pool, [seeds[i : i + SLICE] for i in range(0, len(seeds), SLICE)])


def _gathered(pool: Executor, slices: Sequence[Sequence[int]]) -> Summary:
    summary = Summary()
    results: Iterator[Summary] = pool.map(run, slices)
    for result in results:
        summary.add(result)
    return summary
