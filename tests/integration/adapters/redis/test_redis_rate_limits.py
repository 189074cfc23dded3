"""The limiter's contract, on a real Redis; what holds between processes, and without a Redis."""

import asyncio
import logging
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from random import Random

import pytest

from docstore.adapters.rate_limits import redis as adapter
from docstore.adapters.rate_limits.memory import MemoryRateLimiter
from docstore.adapters.rate_limits.redis import RedisRateLimiter, connect
from docstore.application.ports.rate_limiter import RateLimiter
from docstore.domain.rates import Rate
from docstore.testing import RateLimiterContract
from docstore.testing.rate_limiter import MINUTE, Clock, taken
from integration.services.redis import Redis

pytestmark = pytest.mark.usefixtures("prefix")


class TestRedisRateLimiter(RateLimiterContract):
    @pytest.fixture
    async def limiter(self, redis_server: Redis, clock: Clock) -> AsyncIterator[RateLimiter]:
        async with connect(redis_server.url, now=clock) as limiter:
            yield limiter


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(3))
async def test_the_script_has_the_rules_of_the_domain(redis_server: Redis, seed: int) -> None:
    """Whatever is asked, it decides as the limiter in memory does, which has no rules but those."""
    chance, clock = Random(seed), Clock()
    here = MemoryRateLimiter(clock)
    async with connect(redis_server.url, now=clock) as there:
        for _ in range(500):
            clock.now += chance.choice([0.0, 0.01, 0.5, 7.0, 61.0, -3.0]) * chance.random()
            rate, cost = chance.choice([MINUTE, Rate(3, 1.0)]), chance.randrange(-2, 6)
            bucket = f"b{rate.limit}"
            if cost < 0:
                await here.give_back(bucket, cost=-cost, rate=rate)
                await there.give_back(bucket, cost=-cost, rate=rate)
            else:
                expected = await here.take(bucket, cost=cost, rate=rate)
                assert await there.take(bucket, cost=cost, rate=rate) == expected


BURST = """
import asyncio, sys
from docstore.adapters.rate_limits.redis import connect
from docstore.domain.rates import Rate
from docstore.testing.rate_limiter import taken

async def burst():
    async with connect(sys.argv[1]) as limiter:
        print(await taken(limiter, 50, rate=Rate(50, 3600.0)))

asyncio.run(burst())
"""


def test_of_150_at_once_in_3_processes_50_pass(redis_server: Redis) -> None:
    command = [sys.executable, "-c", BURST, redis_server.url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    assert sum(int(process.communicate(timeout=60)[0]) for process in processes) == 50


@pytest.mark.anyio
async def test_more_may_ask_at_once_than_there_are_connections(redis_server: Redis) -> None:
    async with connect(redis_server.url) as limiter:
        asked = (limiter.take("b", cost=1, rate=MINUTE) for _ in range(300))
        assert sum(decision.allowed for decision in await asyncio.gather(*asked)) == 10


@pytest.mark.anyio
async def test_time_is_that_of_redis_and_keys_expire(redis_server: Redis, prefix: str) -> None:
    with redis_server.client() as operator:
        async with connect(redis_server.url) as limiter:
            before, _ = operator.time()
            await limiter.take("b", cost=1, rate=MINUTE)
            (key,) = operator.keys(f"{prefix}:*")
            assert 0 < operator.pttl(key) <= 60_000
            at = float(str(operator.get(key)).split()[0])
            after, _ = operator.time()
            assert before <= at <= after + 1


class TestWithoutRedis:
    @pytest.fixture
    async def limiter(
        self, server: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[RedisRateLimiter]:
        monkeypatch.setattr(adapter, "LOOK", 0.05)
        async with connect(server.url) as limiter:
            yield limiter

    @pytest.mark.anyio
    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
    async def test_the_limit_holds_on_within_the_process(
        self, server: Redis, limiter: RedisRateLimiter, how: signal.Signals
    ) -> None:
        assert await taken(limiter, 7) == 7
        server.stop(how)
        assert await taken(limiter, 10) == 3
        await limiter.give_back("b", cost=2, rate=MINUTE)
        assert await taken(limiter, 10) == 2

    @pytest.mark.anyio
    async def test_it_is_told_once_and_ends_by_itself(
        self, server: Redis, limiter: RedisRateLimiter, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "docstore")
        server.stop()
        for _ in range(50):
            assert await taken(limiter, 1, rate=Rate(100, 60.0)) == 1
            await asyncio.sleep(0.002)
        server.start()
        async with asyncio.timeout(20):
            while len(caplog.messages) < 2:
                await limiter.take("b", cost=0, rate=MINUTE)
                await asyncio.sleep(0.01)
        away, back = caplog.messages
        assert away.startswith("Redis does not answer: Error 111 connecting to 127.0.0.1")
        assert away.endswith("; each process counts alone for the limits")
        assert back.startswith("Redis answers again, after ")
        assert "Traceback" not in caplog.text
        assert await taken(limiter, 20) == 10, "what was counted in Redis went with it"

    @pytest.mark.anyio
    async def test_one_that_hangs_is_waited_for_briefly_and_not_by_all(
        self, server: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOCSTORE_REDIS_TIMEOUT", "0.1")
        async with connect(server.url) as limiter:
            server.send(signal.SIGSTOP)
            async with asyncio.timeout(10):
                await taken(limiter, 5000, rate=Rate(10_000, 60.0))

    @pytest.mark.anyio
    async def test_one_that_is_full_counts_as_away(
        self, server: Redis, limiter: RedisRateLimiter
    ) -> None:
        with server.client() as operator:
            operator.config_set("maxmemory", "1")
        assert await taken(limiter, 20) == 10
