from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain.retry import RetryPolicy

SECONDS = st.timedeltas(timedelta(0), timedelta(days=1))
JITTER = st.floats(0, 1)
POLICIES = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 100),
    max_crashes=st.integers(1, 100),
    first_delay=st.timedeltas(timedelta(0), timedelta(minutes=1)),
    max_delay=SECONDS,
)
ENDLESS = RetryPolicy(max_attempts=10**9, max_crashes=10**9)


@given(policy=POLICIES, attempts=st.integers(0, 200), crashes=st.integers(0, 200), jitter=JITTER)
def test_there_is_another_attempt_exactly_while_neither_count_is_spent(
    policy: RetryPolicy, attempts: int, crashes: int, jitter: float
) -> None:
    delay = policy.delay_after(attempts, crashes, jitter=jitter)
    left = attempts < policy.max_attempts and crashes < policy.max_crashes
    assert (delay is not None) is left


@given(policy=POLICIES, attempts=st.integers(0, 99), jitter=JITTER)
def test_no_wait_is_longer_than_the_longest(
    policy: RetryPolicy, attempts: int, jitter: float
) -> None:
    delay = policy.delay_after(attempts, jitter=jitter)
    assert delay is None or timedelta(0) <= delay <= policy.max_delay


@given(attempts=st.integers(1, 10**6))
def test_without_jitter_waits_double_up_to_the_longest(attempts: int) -> None:
    one = ENDLESS.delay_after(attempts, jitter=1.0)
    next_one = ENDLESS.delay_after(attempts + 1, jitter=1.0)
    assert one is not None
    assert next_one == min(2 * one, ENDLESS.max_delay)


@given(attempts=st.integers(1, 100), jitter=JITTER)
def test_jitter_scales_the_whole_wait(attempts: int, jitter: float) -> None:
    full = ENDLESS.delay_after(attempts, jitter=1.0)
    assert full is not None
    assert ENDLESS.delay_after(attempts, jitter=jitter) == jitter * full


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (4, 16), (5, None)])
def test_the_default_waits(attempts: int, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert RetryPolicy().delay_after(attempts, jitter=1.0) == expected
