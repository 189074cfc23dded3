"""The simulator finds the bugs that it is there for."""

import pytest

from simulation.__main__ import replay_command
from simulation.bugs import BUGS
from simulation.plan import Plan
from simulation.shrink import shrunk
from simulation.world import Outcome, World

ENOUGH = 100  # schedules


def first_breach(name: str) -> Outcome:
    for seed in range(ENOUGH):
        outcome = World(Plan.of(seed), BUGS[name]).run()
        if outcome.breach:
            print(f"{name}: found by schedule {seed + 1}: {outcome.breach[:200]}")
            return outcome
    pytest.fail(f"{name}: not found by {ENOUGH} schedules")


@pytest.mark.parametrize("name", BUGS)
def test_it_is_found(name: str) -> None:
    assert first_breach(name).breach


def test_a_breach_is_shrunk_to_what_it_takes() -> None:
    bug = BUGS["retry forgets the file"]
    found = first_breach("retry forgets the file")
    small = shrunk(found, bug)
    assert small.breach
    assert len(small.trace) < len(found.trace)
    assert (small.plan.clients, small.plan.workers, list(small.plan.faults)) == (1, 1, [])
    assert World(small.plan, bug).run() == small, "the shrunk one replays"
    assert "--faults none" in replay_command(small.plan)


def test_what_is_not_broken_is_not_shrunk() -> None:
    with pytest.raises(AssertionError, match="nothing is broken"):
        shrunk(World(Plan.of(0)).run())
