"""What the table says of floors and goals."""

import pytest

from report import Report, Taken
from row import Reference, Row
from rows import table
from stage import Measured, Stage


def unmeasured(stage: Stage) -> Measured:
    raise NotImplementedError


def taken(target: str, *values: float, row: str = "a-row") -> list[Taken]:
    return [
        Taken(number, 0, row, target, Measured(value=value)) for number, value in enumerate(values)
    ]


def a_row(*references: Reference, most: float | None = None) -> Row:
    return Row(
        name="a-row",
        title="A row",
        unit="/s",
        measure=unmeasured,
        references=references,
        most=most,
    )


FLOOR = Reference(target="bare", least=0.9, is_floor=True)


def test_a_ratio_is_the_median_of_those_in_each_round() -> None:
    report = Report(
        [a_row(FLOOR)], [*taken("docstore", 50, 300, 100), *taken("bare", 50, 100, 1000)]
    )
    assert "1.00 x bare (floor 0.9: ok)" in str(report)
    assert not report.missed


@pytest.mark.parametrize(
    ("reference", "says", "missed"),
    [
        (FLOOR, "0.50 x bare (floor 0.9: BELOW)", ["a-row"]),
        (Reference(target="bare", least=0.9), "0.50 x bare (goal 0.9: not yet)", []),
        (Reference(target="bare"), "0.50 x bare", []),
    ],
)
def test_a_floor_that_is_missed_counts_and_a_goal_does_not(
    reference: Reference, says: str, missed: list[str]
) -> None:
    report = Report([a_row(reference)], [*taken("docstore", 1), *taken("bare", 2)])
    assert says in str(report)
    assert report.missed == missed


@pytest.mark.parametrize(("value", "missed"), [(64, []), (65, ["a-row"])])
def test_what_should_be_small_must_not_be_more(value: float, missed: list[str]) -> None:
    assert Report([a_row(most=64)], taken("docstore", value)).missed == missed


def test_what_was_not_there_is_said() -> None:
    assert "no nginx" in str(Report([a_row(Reference(target="nginx"))], taken("docstore", 1)))


def test_every_reference_is_to_a_row_that_is_measured_before() -> None:
    known: set[tuple[str, str]] = set()
    for row in table(files=1, long=False):
        known |= {(row.name, target) for target in row.targets}
        assert {(r.row or row.name, r.target) for r in row.references} <= known


@pytest.mark.parametrize(("name", "want"), [("a-row", True), ("a", True), ("a-r", False)])
def test_rows_are_called_by_how_their_names_begin(name: str, want: bool) -> None:
    assert a_row().is_called(name) == want
