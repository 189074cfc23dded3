"""The contract of `RateLimiter`, for every adapter: ours and yours.

class TestMyRateLimiter(RateLimiterContract):
    @pytest.fixture
    def limiter(self, clock: Clock) -> RateLimiter:
        return MyRateLimiter(now=clock)
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from random import Random

import pytest

from docstore.application.ports.rate_limiter import RateLimiter
from docstore.domain.rates import Rate

MINUTE = Rate(10, 60.0)
HOUR = 3600.0


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def taken(limiter: RateLimiter, times: int, *, bucket: str = "b", rate: Rate = MINUTE) -> int:
    """How often it is allowed."""
    decisions = [await limiter.take(bucket, cost=1, rate=rate) for _ in range(times)]
    return sum(decision.allowed for decision in decisions)


@pytest.mark.anyio
class RateLimiterContract:
    """Override the `limiter` fixture: it is empty, and measures time by `clock`."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def limiter(self, clock: Clock) -> RateLimiter:
        raise NotImplementedError

    async def test_the_limit_is_allowed_and_no_more(self, limiter: RateLimiter) -> None:
        assert await taken(limiter, 30) == 10

    async def test_a_decision_tells_what_remains(self, limiter: RateLimiter) -> None:
        remaining = [(await limiter.take("b", cost=3, rate=MINUTE)).remaining for _ in range(4)]
        assert remaining == [7, 4, 1, 1]

    async def test_a_refusal_takes_nothing(self, limiter: RateLimiter) -> None:
        await limiter.take("b", cost=8, rate=MINUTE)
        refused = await limiter.take("b", cost=3, rate=MINUTE)
        assert (refused.allowed, refused.remaining) == (False, 2)
        assert (await limiter.take("b", cost=2, rate=MINUTE)).allowed

    async def test_looking_takes_nothing(self, limiter: RateLimiter) -> None:
        for _ in range(20):
            look = await limiter.take("b", cost=0, rate=MINUTE)
            assert (look.allowed, look.remaining, look.wait) == (True, 10, timedelta(0))
        await taken(limiter, 10)
        look = await limiter.take("b", cost=0, rate=MINUTE)
        assert (look.allowed, look.remaining) == (False, 0)

    async def test_buckets_do_not_know_each_other(self, limiter: RateLimiter) -> None:
        for bucket in ("a", "A", "ä", "a:b", "a b", "", "'; --", "x" * 1000):
            assert await taken(limiter, 11, bucket=bucket) == 10

    async def test_the_wait_that_is_told_is_true(self, limiter: RateLimiter, clock: Clock) -> None:
        for _ in range(10):
            await limiter.take("b", cost=1, rate=MINUTE)
            clock.now += 2.5
        refused = await limiter.take("b", cost=4, rate=MINUTE)
        seconds = refused.wait.total_seconds()
        assert 0 < seconds <= MINUTE.window
        clock.now += seconds - 1.1  # a slot, and a little
        assert not (await limiter.take("b", cost=4, rate=MINUTE)).allowed
        clock.now += 1.1
        assert (await limiter.take("b", cost=4, rate=MINUTE)).allowed

    async def test_more_than_the_limit_never_fits(self, limiter: RateLimiter) -> None:
        refused = await limiter.take("b", cost=11, rate=MINUTE)
        assert (refused.allowed, refused.remaining) == (False, 10)
        assert timedelta(0) < refused.wait <= timedelta(seconds=MINUTE.window)

    @pytest.mark.parametrize("offset", [0.0, 0.3, 29.9, 59.9, 59.999])
    async def test_two_bursts_around_an_edge_are_one(
        self, limiter: RateLimiter, clock: Clock, offset: float
    ) -> None:
        clock.now += offset
        assert await taken(limiter, 20) == 10
        clock.now += 0.2
        assert await taken(limiter, 20) == 0
        clock.now += MINUTE.window - 0.3
        assert await taken(limiter, 20) == 0
        clock.now += 0.2
        assert await taken(limiter, 20) == 10

    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("rate", [MINUTE, Rate(3, 1.0), Rate(200, 3600.0)])
    async def test_no_window_sees_more_than_the_limit(
        self, limiter: RateLimiter, clock: Clock, rate: Rate, seed: int
    ) -> None:
        chance = Random(seed)
        allowed: list[float] = []
        for _ in range(400):
            clock.now += chance.choice([0, 0.001, 0.01, 0.1]) * rate.window * chance.random()
            if (await limiter.take("b", cost=1, rate=rate)).allowed:
                allowed.append(clock.now)
        for first in allowed:
            assert sum(first <= at < first + rate.window - 0.001 for at in allowed) <= rate.limit

    async def test_who_is_patient_gets_nearly_all_of_the_limit(
        self, limiter: RateLimiter, clock: Clock
    ) -> None:
        allowed = 0
        for _ in range(1200):
            allowed += (await limiter.take("b", cost=1, rate=MINUTE)).allowed
            clock.now += 0.5
        assert 90 <= allowed <= 110  # of ten minutes

    async def test_what_is_given_back_may_be_taken_again(
        self, limiter: RateLimiter, clock: Clock
    ) -> None:
        await taken(limiter, 6)
        clock.now += 5
        await taken(limiter, 4)
        await limiter.give_back("b", cost=5, rate=MINUTE)
        assert await taken(limiter, 9) == 5
        await limiter.give_back("b", cost=99, rate=MINUTE)
        await limiter.give_back("never used", cost=1, rate=MINUTE)
        assert await taken(limiter, 12) == 10

    async def test_of_those_who_ask_at_once_the_limit_is_allowed(
        self, limiter: RateLimiter
    ) -> None:
        asked = (limiter.take("b", cost=1, rate=MINUTE) for _ in range(50))
        assert sum(decision.allowed for decision in await asyncio.gather(*asked)) == 10

    @pytest.mark.parametrize("jump", [HOUR, -HOUR])
    async def test_a_clock_that_jumps_shuts_nobody_out(
        self, limiter: RateLimiter, clock: Clock, jump: float
    ) -> None:
        await taken(limiter, 10)
        clock.now += jump
        decision = await limiter.take("b", cost=0, rate=MINUTE)
        clock.now += ceil(decision.wait.total_seconds())
        assert await taken(limiter, 20) == 10
