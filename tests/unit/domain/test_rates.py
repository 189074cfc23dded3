from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain.rates import (
    SLOTS,
    Rate,
    Taken,
    counting,
    decide,
    slot_of,
    with_less,
    with_more,
)

MINUTE = Rate(10, 60.0)


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("1000/minute", Rate(1000, 60)),
        ("1/second", Rate(1, 1)),
        ("5/hour", Rate(5, 3600)),
        (" 7/DAY ", Rate(7, 86400)),
        ("999999999/minute", Rate(999_999_999, 60)),
    ],
)
def test_a_rate_is_written_as_so_much_per_period(written: str, rate: Rate) -> None:
    assert Rate.parse(written) == rate


@pytest.mark.parametrize(
    "written",
    [
        "",
        "10",
        "0/minute",
        "-1/minute",
        "1.5/minute",
        "1e3/minute",
        "01/minute",
        "\u0661/minute",
        "10/week",
        "10/minutes",
        "off",
        "10 / minute",
        "10/minute/second",
        "9999999999/day",
    ],
)
def test_what_is_no_rate_is_told_what_one_is(written: str) -> None:
    with pytest.raises(ValueError, match="10/minute"):
        Rate.parse(written)


def test_what_is_taken_counts_for_a_window() -> None:
    taken = [Taken(100.0, 1), Taken(130.0, 2)]
    assert counting(taken, MINUTE, 130.0) == taken
    assert counting(taken, MINUTE, 159.9) == taken
    assert counting(taken, MINUTE, 160.0) == taken[1:]
    assert counting(taken, MINUTE, 190.0) == []


def test_what_lies_ahead_is_forgotten() -> None:
    assert counting([Taken(100.0, 1)], MINUTE, 99.0) == []


def test_what_is_taken_within_a_slot_is_one() -> None:
    taken = with_more([], MINUTE, cost=2, now=100.2)
    taken = with_more(taken, MINUTE, cost=3, now=100.9)
    assert taken == [Taken(100.9, 5)]
    assert with_more(taken, MINUTE, cost=1, now=101.0) == [Taken(100.9, 5), Taken(101.0, 1)]
    assert slot_of(60.0, MINUTE) == SLOTS


def test_the_newest_is_given_back_first() -> None:
    taken = [Taken(100.0, 2), Taken(110.0, 3)]
    assert with_less(taken, cost=2) == [Taken(100.0, 2), Taken(110.0, 1)]
    assert with_less(taken, cost=4) == [Taken(100.0, 1)]
    assert with_less(taken, cost=9) == []


def test_a_decision_tells_how_long_to_wait() -> None:
    taken = [Taken(100.0, 4), Taken(110.0, 6)]
    assert decide(taken, MINUTE, cost=1, now=120.0).wait == timedelta(seconds=40)
    assert decide(taken, MINUTE, cost=5, now=120.0).wait == timedelta(seconds=50)
    assert decide([], MINUTE, cost=1, now=120.0).wait == timedelta(seconds=60)
    assert decide([], MINUTE, cost=0, now=120.0).wait == timedelta(0)


def test_a_limit_that_was_lowered_leaves_nothing_owed() -> None:
    decision = decide([Taken(100.0, 50)], MINUTE, cost=1, now=101.0)
    assert (decision.allowed, decision.remaining) == (False, 0)
    assert decision.wait == timedelta(seconds=59)


@given(
    st.lists(st.tuples(st.floats(0, 30), st.integers(0, 12)), max_size=40),
    st.integers(1, 10),
    st.sampled_from([1.0, 60.0, 86400.0]),
)
def test_no_window_holds_more_than_the_limit(
    steps: list[tuple[float, int]], limit: int, window: float
) -> None:
    rate, now = Rate(limit, window), 0.0
    taken: list[Taken] = []
    all_taken: list[Taken] = []
    for step, cost in steps:
        now += step * window / 60
        taken = list(counting(taken, rate, now))
        decision = decide(taken, rate, cost=cost, now=now)
        assert 0 <= decision.remaining <= limit
        assert timedelta(0) <= decision.wait <= timedelta(seconds=window)
        if decision.allowed:
            taken = list(with_more(taken, rate, cost=cost, now=now))
            all_taken.append(Taken(now, cost))
        assert len(taken) <= SLOTS + 1
    for first in all_taken:
        inside = (t.count for t in all_taken if 0 <= t.at - first.at < window * 0.999)
        assert sum(inside) <= limit
