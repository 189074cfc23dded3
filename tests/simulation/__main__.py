"""Run schedules by hand: `PYTHONPATH=tests python -m simulation --help`."""

import argparse
import os
import sys
from typing import Any

from simulation.batch import run_many
from simulation.bugs import BUGS, NONE
from simulation.plan import Fault, Plan
from simulation.shrink import COUNTS, shrunk
from simulation.world import Outcome, World


def main() -> int:
    asked = _parser().parse_args()
    first, _, last = asked.seeds.partition("-")
    if last:
        summary = run_many(range(int(first), int(last)), processes=asked.processes)
        print(summary)
        return 1 if summary.breaches else 0
    return _replay(_plan(int(first), asked), asked)


def _replay(plan: Plan, asked: argparse.Namespace) -> int:
    bug = BUGS[asked.bug] if asked.bug else NONE
    outcome = World(plan, bug).run()
    if outcome.breach and asked.shrink:
        outcome = shrunk(outcome, bug)
    print(told(outcome))
    return 1 if outcome.breach else 0


def told(outcome: Outcome) -> str:
    """The whole story of one schedule."""
    steps = "\n".join(f"{time:10.3f}  {who:<12} {what}" for time, who, what in outcome.trace)
    end = f"BROKEN {outcome.breach}" if outcome.breach else "every promise was kept"
    return f"{steps}\n{outcome.plan}\n{end}\nreplay: {replay_command(outcome.plan)}"


def replay_command(plan: Plan) -> str:
    """What to type to see the same again; names only what the seed does not say."""
    usual = Plan.of(plan.seed)
    changed = [name for name in (*COUNTS, "intensity", "storm") if _differs(plan, usual, name)]
    options = [f"--{name.replace('_', '-')} {getattr(plan, name):g}" for name in changed]
    if list(plan.faults) != list(usual.faults):
        options.append(f"--faults {','.join(plan.faults) or 'none'}")
    return " ".join(["PYTHONPATH=tests python -m simulation", str(plan.seed), *options])


def _differs(plan: Plan, usual: Plan, name: str) -> bool:
    return bool(getattr(plan, name) != getattr(usual, name))


def _plan(seed: int, asked: argparse.Namespace) -> Plan:
    names = (*COUNTS, "intensity", "storm", "faults")
    given: dict[str, Any] = {n: getattr(asked, n) for n in names if getattr(asked, n) is not None}
    return Plan.of(seed).but(**given)


def _faults(text: str) -> list[Fault]:
    return [] if text == "none" else [Fault(name) for name in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("seeds", help="one seed, to replay it; or a range such as 0-10000")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--shrink", action="store_true", help="look for the smallest that breaks")
    parser.add_argument("--bug", choices=sorted(BUGS), help="put in a bug, to see it found")
    for name in COUNTS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int)
    parser.add_argument("--intensity", type=float)
    parser.add_argument("--storm", type=float, help="seconds until faults stop")
    parser.add_argument("--faults", type=_faults, help="comma-separated, or none")
    return parser


if __name__ == "__main__":
    sys.exit(main())
