"""docstore beside a bare handler and nginx, in one run: `python benchmarks/run.py --help`."""

import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import places
from cluster import Cluster, OnS3
from report import Report, Taken, progress
from row import Row
from rows import table
from seeding import seed
from services import Services, services
from stage import Stage
from targets import Bare, Docstore, Nginx, Target, has_nginx


def main(arguments: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # else its servers would outlive it
    asked = _parsed(arguments)
    rows = _chosen(asked)
    began = time.monotonic()
    with places.folder(places.roomiest()) as fast, places.folder(places.on_disk()) as disk:
        print(f"data on {places.kind(fast)}; what is synced on {places.kind(disk)}", flush=True)
        with ExitStack() as stack:
            taken = list(Run(asked, rows, fast, disk, stack).taken())
    report = Report(rows, taken)
    print(f"\n{report}\n{asked.rounds} rounds in {time.monotonic() - began:.0f} s")
    if asked.json:
        report.save(asked.json)
    for name in report.missed:
        print(f"BELOW its floor: {name}")
    return 1 if report.missed else 0


@dataclass(frozen=True, slots=True)
class Run:
    asked: Namespace
    rows: Sequence[Row]
    fast: Path  # folder for data, in memory
    disk: Path
    whole: ExitStack  # of what lasts as long as the run

    def taken(self) -> Iterator[Taken]:
        wanted = {target for row in self.rows for target in row.targets}
        if "nginx" in wanted and not has_nginx():
            print("there is no nginx: its column stays empty")
            wanted.discard("nginx")
        source = places.big_file(self.fast)
        seeded = self._seeded() if "docstore-rows" in wanted else []
        shared = self._shared(wanted)
        for number in range(self.asked.rounds):
            places.touch_memory(self.fast)
            with ExitStack() as stack:
                stages = {
                    name: Stage(
                        stack.enter_context(self._serving(name, stack, shared)),
                        source,
                        self.asked.seconds,
                    )
                    for name in sorted(wanted)
                }
                if seeded:
                    stages["docstore-rows"].small = seeded
                yield from self._round(number, stages)

    def _seeded(self) -> list[str]:
        data = self.fast / "docstore-rows"
        data.mkdir()
        return seed(data, self.asked.rows)

    def _shared(self, wanted: set[str]) -> Services | None:
        """The servers of all that need one."""
        if not any(name == "docstore-s3" or name.startswith("cluster-") for name in wanted):
            return None
        return self.whole.enter_context(services(self.fast))

    def _serving(
        self, name: str, stack: ExitStack, shared: Services | None
    ) -> AbstractContextManager[Target]:
        if name == "docstore-rows":
            return Docstore.serving(self.fast / name, durability="relaxed")
        on_disk = name == "docstore-full" or (name == "docstore-memory" and self.asked.long)
        data = stack.enter_context(places.folder(self.disk if on_disk else self.fast))
        if name == "bare":
            return Bare.serving(data)
        if name == "nginx":
            return Nginx.serving(data)
        if shared is not None and name == "docstore-s3":
            return OnS3.of(data, shared)
        if shared is not None and name.startswith("cluster-"):
            return Cluster.of(int(name.removeprefix("cluster-")), data, shared)
        return Docstore.serving(
            data,
            durability="full" if name == "docstore-full" else "relaxed",
            isolation="none" if name == "inline" else "jail",
        )

    def _round(self, number: int, stages: dict[str, Stage]) -> Iterator[Taken]:
        """Row by row, the targets one after the other, each time beginning with another one: what
        disturbs the machine for a while hits all of them."""
        for row in self.rows:
            names = sorted(row.targets & stages.keys())
            for turn in range(row.repeats):
                first = (number + turn) % len(names)
                for name in names[first:] + names[:first]:
                    taken = Taken(number, turn, row.name, name, row.measure(stages[name]))
                    print(progress(taken), flush=True)
                    yield taken


def _chosen(asked: Namespace) -> list[Row]:
    rows = table(files=300 if asked.quick else 2000, long=asked.long)
    if not asked.row:
        return [row for row in rows if asked.long or not row.is_long]
    if unknown := [name for name in asked.row if not any(row.is_called(name) for row in rows)]:
        known = ", ".join(row.name for row in rows)
        raise SystemExit(f"no such row: {', '.join(unknown)}; there are {known}")
    return [row for row in rows if any(map(row.is_called, asked.row))]


def _parsed(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(description="Measure docstore beside others, as ratios in one run.")
    parser.add_argument(
        "row",
        nargs="*",
        metavar="ROW",
        help="rows to measure, by their names or how those begin; none: all but the long ones",
    )
    parser.add_argument("--rounds", type=int, help="medians are taken over them; 3, or 1 if quick")
    parser.add_argument("--quick", action="store_true", help="short phases: do the wheels turn?")
    parser.add_argument(
        "--long", action="store_true", help="100,000 rows, 20 transfers of 1 GB, clusters"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="every measurement, too")
    asked = parser.parse_args(arguments)
    asked.rounds = asked.rounds or (1 if asked.quick else 3)
    asked.seconds = 0.5 if asked.quick else 1.0
    asked.rows = 100_000 if asked.long else 2000 if asked.quick else 20_000
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
