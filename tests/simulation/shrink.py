"""The smallest schedule that still breaks the same promise."""

from collections.abc import Iterator
from typing import Final

from simulation.bugs import NONE, Bug
from simulation.plan import Plan
from simulation.world import Outcome, World

COUNTS: Final = ("clients", "actions", "workers", "apis", "max_parts")


def shrunk(outcome: Outcome, bug: Bug = NONE) -> Outcome:
    """Greedily: take away whatever is not needed for the breach, until everything is."""
    assert outcome.breach, "nothing is broken"
    while smaller := _first_that_breaks(outcome, bug):
        outcome = smaller
    return outcome


def _first_that_breaks(outcome: Outcome, bug: Bug) -> Outcome | None:
    for plan in _smaller(outcome.plan):
        tried = World(plan, bug).run()
        if tried.breach and _promise(tried) == _promise(outcome):
            return tried
    return None


def _promise(outcome: Outcome) -> str:
    return str(outcome.breach).partition(":")[0]


def _smaller(plan: Plan) -> Iterator[Plan]:
    for fault in plan.faults:
        yield plan.but(faults=[other for other in plan.faults if other is not fault])
    for name in COUNTS:
        if (count := getattr(plan, name)) > 1:
            yield plan.but(**{name: 1})
            if count > 2:
                yield plan.but(**{name: count - 1})
    if plan.intensity > 0.1:
        yield plan.but(intensity=plan.intensity / 2)
    if plan.storm > 10:
        yield plan.but(storm=plan.storm / 2)
