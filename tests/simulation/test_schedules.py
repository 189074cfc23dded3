"""The promises hold in every schedule, and a schedule is its seed's whoever runs it."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from simulation.__main__ import told
from simulation.batch import Summary, run, run_many
from simulation.plan import Fault, Plan
from simulation.shrink import shrunk
from simulation.world import World

TESTS = Path(__file__).parents[1]
FIRST = int(os.environ.get("DOCSTORE_TEST_SEED", "0"))
"""Where to begin, for whoever wants others than the usual schedules."""

MET = {
    "a process died",
    "attempt behind steps that were done",
    "blob swept in the storm",
    "file failed -> processing",
    "file out of date",
    "file processed -> processing",
    "file processing -> failed",
    "file processing -> processed",
    "file uploaded -> processing",
    "job given back",
    "job processing -> completed",
    "job processing -> failed",
    "job processing -> queued",
    "job taken from a dead worker",
    "job taken from a troubled worker",
    "job taken over by the successor of a dead worker",
    "quiet end",
}
"""What 200 schedules meet at least once; a simulation that meets nothing proves nothing."""


def test_every_promise_is_kept_and_the_storm_is_one() -> None:
    summary = run(range(FIRST, FIRST + 200))
    _kept(summary)
    assert {what for what, times in summary.seen.items() if times} >= MET


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_every_promise_is_kept_at_length() -> None:
    summary = run_many(range(FIRST, FIRST + 10_000), processes=os.cpu_count() or 1)
    print(summary)
    _kept(summary)
    assert summary.seen["job taken away for good"]


def test_the_same_seed_is_the_same_story() -> None:
    for seed in range(20):
        assert World(Plan.of(seed)).run() == World(Plan.of(seed)).run()


def test_the_story_does_not_depend_on_how_strings_are_hashed() -> None:
    program = "from simulation.test_schedules import digest; print(digest(range(12)))"
    for hash_seed in ("1", "2"):
        path = os.pathsep.join([str(TESTS), *sys.path])
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
        found = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert found.stdout.strip() == digest(range(12))


def test_without_faults_nothing_is_lost_or_tried_twice() -> None:
    """A control: what goes wrong under a storm is the storm's doing."""
    for seed in range(30):
        outcome = World(_calm(Plan.of(seed))).run()
        assert outcome.breach is None
        assert not outcome.seen["a process died"]
        assert not outcome.seen["job taken from a troubled worker"]


def digest(seeds: range) -> str:
    """Of everything that happens in those schedules."""
    stories = [repr(World(Plan.of(seed)).run()) for seed in seeds]
    return sha256("".join(stories).encode()).hexdigest()


def _calm(plan: Plan) -> Plan:
    return plan.but(faults=[fault for fault in plan.faults if fault is Fault.HANG_UP])


def _kept(summary: Summary) -> None:
    for seed in summary.breaches:
        pytest.fail(told(shrunk(World(Plan.of(seed)).run())))
