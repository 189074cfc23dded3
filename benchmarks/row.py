"""What a row of the table is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stage import Measured, Stage

Measure = Callable[[Stage], Measured]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A figure of the same round. `least`: the ratio to it that is wanted, or must be."""

    target: str
    row: str | None = None  # None: this one
    least: float | None = None
    is_floor: bool = False  # missing it fails the run; else it is a goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    title: str
    unit: str
    measure: Measure
    references: Sequence[Reference] = ()
    subject: str = "docstore"
    most: float | None = None  # a floor for what should be small, in the row's unit
    most_cpu: float | None = None  # a goal, in CPU-s for each GiB
    repeats: int = 1  # in each round; a floor wants a steadier figure than one upload gives
    is_long: bool = False  # it is measured when it is named, or in a long run

    @property
    def targets(self) -> set[str]:
        return {self.subject, *(r.target for r in self.references if r.row is None)}

    def is_called(self, name: str) -> bool:
        """Whether `name` is its own, or what its own begins with: `raw` is `raw-1g` and others."""
        return f"{self.name}-".startswith(f"{name}-")
