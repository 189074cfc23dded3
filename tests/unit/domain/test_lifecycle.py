import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import pytest

from docstore.domain.errors import IllegalTransition
from docstore.domain.lifecycle import FILE, JOB, Action, FileStatus, JobStatus, after

DRAWINGS = Path(__file__).parents[3] / "docs" / "lifecycle.md"

Table = Mapping[StrEnum, Mapping[Action, StrEnum]]
LIVES = pytest.mark.parametrize(
    ("heading", "statuses", "table"),
    [("A file", FileStatus, FILE), ("A job", JobStatus, JOB)],
    ids=["file", "job"],
)


def chapter(heading: str) -> str:
    return DRAWINGS.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]


def drawing(heading: str) -> str:
    return chapter(heading).split("```mermaid\nstateDiagram-v2\n")[1].split("```")[0]


def edges(table: Table) -> set[tuple[str, str, str]]:
    return {(s, to, action) for s, row in table.items() for action, to in row.items()}


@LIVES
def test_the_table_is_the_one_drawn_in_the_docs(
    heading: str, statuses: type[StrEnum], table: Table
) -> None:
    drawn = re.findall(r"^ +(\w+) --> (\w+): (\w+)$", drawing(heading), re.MULTILINE)
    assert set(drawn) == edges(table)
    assert len(drawn) == len(edges(table)) == len(drawing(heading).strip().splitlines()) - 1


@LIVES
def test_each_transition_is_explained(heading: str, statuses: type[StrEnum], table: Table) -> None:
    told = re.findall(r"^\*\*(\w+) → (\w+), (\w+)\.\*\*", chapter(heading), re.MULTILINE)
    assert sorted(told) == sorted(edges(table))


@LIVES
def test_each_status_has_a_row(heading: str, statuses: type[StrEnum], table: Table) -> None:
    assert set(table) == set(statuses)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", FileStatus)
def test_what_the_table_does_not_name_is_illegal(status: FileStatus, action: Action) -> None:
    if action in FILE[status]:
        assert after(FILE, status, action) is FILE[status][action]
    else:
        with pytest.raises(IllegalTransition, match=f"{action} is not possible .* {status}"):
            after(FILE, status, action)


def test_a_final_job_stays_as_it_is() -> None:
    assert {status for status, row in JOB.items() if not row} == {
        status for status in JobStatus if not status.is_live
    }


def test_only_a_person_moves_a_final_file() -> None:
    leaving = {action for status in FileStatus if status.is_final for action in FILE[status]}
    assert leaving == {Action.RETRY, Action.REPROCESS}
