"""The table: medians over the rounds, ratios within each round, and what they should be."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

from row import Reference, Row
from stage import Measured

COLUMNS: Final = ("docstore", "bare", "nginx", "cluster")
HEADINGS: Final = ("", "unit", *COLUMNS, "ratios", "p99 ms", "server CPU", "load", "others")


@dataclass(frozen=True, slots=True)
class Taken:
    round: int
    turn: int  # of a row that is repeated in a round
    row: str
    target: str
    measured: Measured


class Report:
    def __init__(self, rows: Sequence[Row], taken: Sequence[Taken]) -> None:
        self._rows = rows
        self._taken = taken
        self.missed: list[str] = []  # floors
        self._lines = [HEADINGS, *(self._line(row) for row in rows)]

    def __str__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self._lines, strict=True)]
        table = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in self._lines
        ]
        return "\n".join([*table, "", *self._notes()])

    def save(self, path: Path) -> None:
        path.write_text(json.dumps([asdict(each) for each in self._taken], indent=1))

    def _line(self, row: Row) -> tuple[str, ...]:
        values = {_column(target): self._median(row.name, target) for target in row.targets}
        verdicts = [*self._ratios(row), *self._limits(row)]
        about = [
            self._of(row.name, row.subject, field) for field in ("p99", "cpu", "load", "others")
        ]
        cpu_unit = "s/GiB" if row.unit != "/s" else "ms"
        p99, cpu, load, others = about
        return (
            f"{row.title} [{row.name}]",
            row.unit,
            *(_number(values.get(column)) for column in COLUMNS),
            ", ".join(verdicts),
            _number(p99),
            f"{_number(cpu)} {cpu_unit}" if cpu is not None else "",
            _number(load),
            _number(others),
        )

    def _ratios(self, row: Row) -> Iterator[str]:
        for reference in row.references:
            found = self._ratio(row, reference)
            if found is None:
                yield f"no {reference.row or reference.target}"
                continue
            what = f"{found:.2f} x {reference.row or reference.target}"
            if reference.least is None:
                yield what
            else:
                is_kept = found >= reference.least
                yield f"{what} {self._verdict(row, reference.least, is_kept, reference.is_floor)}"

    def _limits(self, row: Row) -> Iterator[str]:
        value = self._median(row.name, row.subject)
        if row.most is not None and value is not None:
            yield f"{self._verdict(row, row.most, value <= row.most, True)}"
        cpu = self._of(row.name, row.subject, "cpu")
        if row.most_cpu is not None and cpu is not None:
            yield f"CPU {self._verdict(row, row.most_cpu, cpu <= row.most_cpu, False)}"

    def _verdict(self, row: Row, bound: float, is_kept: bool, is_floor: bool) -> str:
        if is_floor and not is_kept:
            self.missed.append(row.name)
        kind = "floor" if is_floor else "goal"
        return f"({kind} {bound:g}: {'ok' if is_kept else 'BELOW' if is_floor else 'not yet'})"

    def _ratio(self, row: Row, reference: Reference) -> float | None:
        """The median of the ratios in each round."""
        ours = self._by_round(row.name, row.subject)
        theirs = self._by_round(reference.row or row.name, reference.target)
        ratios = [ours[n].value / theirs[n].value for n in ours.keys() & theirs.keys()]
        return median(ratios) if ratios else None

    def _median(self, row: str, target: str) -> float | None:
        return self._of(row, target, "value")

    def _of(self, row: str, target: str, field: str) -> float | None:
        found = [getattr(each, field) for each in self._by_round(row, target).values()]
        known = [each for each in found if each is not None]
        return median(known) if known else None

    def _by_round(self, row: str, target: str) -> dict[tuple[int, int], Measured]:
        found = (each for each in self._taken if (each.row, each.target) == (row, target))
        return {(each.round, each.turn): each.measured for each in found}

    def _notes(self) -> Iterator[str]:
        for each in self._taken:
            if each.measured.note:
                yield f"{each.row}, {each.target}, round {each.round}: {each.measured.note}"


def _column(target: str) -> str:
    return target.split("-")[0]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def progress(taken: Taken) -> str:
    measured = taken.measured
    return f"  {taken.round} {taken.row:14} {taken.target:14} {_number(measured.value):>8}"
