"""No attack of the catalogue is forgotten: each id has a row, a test elsewhere, or a reason."""

from pathlib import Path
from typing import Final

import pytest

from security.bombs.catalogue import Lures, bombs
from security.catalogue import IN_PROCESS, IN_THE_JAIL, ON_A_SOCKET

TESTS: Final = Path(__file__).parents[1]


def ids(letter: str, *numbers: int) -> set[str]:
    return {f"{letter}{number}" for number in numbers}


KNOWN: Final = {
    *ids("A", 1, *range(3, 13), *range(14, 31)),
    *ids("Z", *range(1, 17)),
    *ids("U", *range(1, 20)),
    *ids("M", *range(1, 15)),
    *ids("D", 1, 2, 3, 4, *range(6, 11)),
    *ids("F", 1, 2, 3, 4, 5, 7, 8),
    *ids("B", *range(1, 30)),
    *ids("Q", *range(1, 7), 8),
    *ids("H", *range(1, 9)),
    *ids("R", *range(1, 6)),
    *ids("X", 1, 2, 3, 4, 6, 7, 8, 9),
}
"""Every attack on what docstore has. Those on resumable uploads (T) and GraphQL (G) come with
these."""

ELSEWHERE: Final = {
    **{
        bomb.id: ("security/test_bombs.py", "test_a_bomb_ends_as_it_should")
        for bomb in bombs(Lures("", Path("/"), Path("/")))
    },
    "B25": ("unit/adapters/test_jail.py", "test_what_a_child_leaves_behind_is_killed"),
    "B26": ("unit/adapters/test_jail.py", "test_a_bad_file_fails_alone"),
    "B27": ("unit/adapters/test_jail_walls.py", "test_the_walls_stop_all_of_it"),
    "A19": ("security/test_start.py", "test_a19_a_weak_secret_stops_the_start"),
    "R3": ("security/test_start.py", "test_r3_a_limit_holds_over_several_processes"),
    "R4": ("integration/journeys/test_redis.py", "test_r4_guesses_are_limited_without_redis"),
    "X4": ("integration/journeys/test_exhaustion.py", "test_a_full_disk"),
}
"""Attacks that need a server of their own: where they are made."""

LEFT_OUT: Final = {
    "A28": "there are no refresh tokens",
    "Z2": "there are no resumable uploads",
    "Z9": "there are no links to share",
    "U13": "there are no quotas",
    "U19": "there is no import by URL",
}


def made() -> set[str]:
    return {attack.id for attack in (*IN_PROCESS, *ON_A_SOCKET, *IN_THE_JAIL)}


def test_every_attack_is_made_somewhere_or_left_out_for_a_reason() -> None:
    assert made() | ELSEWHERE.keys() | LEFT_OUT.keys() == KNOWN


def test_nothing_that_is_made_counts_as_left_out() -> None:
    assert not LEFT_OUT.keys() & (made() | ELSEWHERE.keys())


@pytest.mark.parametrize(("path", "name"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_is_made_elsewhere_is_there(path: str, name: str) -> None:
    assert f"def {name}(" in (TESTS / path).read_text()


def test_no_two_rows_look_the_same() -> None:
    rows = [str(attack) for attack in (*IN_PROCESS, *ON_A_SOCKET, *IN_THE_JAIL)]
    assert sorted(set(rows)) == sorted(rows)
