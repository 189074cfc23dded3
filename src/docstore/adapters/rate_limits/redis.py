"""Limits that hold for all who share a Redis, whichever machine they run on."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from types import TracebackType
from typing import Final, Self, TypeVar

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from docstore.adapters.outage import Outage
from docstore.adapters.rate_limits.memory import MemoryRateLimiter
from docstore.adapters.redis_server import RedisSettings, connection_options
from docstore.domain.rates import SLOTS, Decision, Rate, Taken, decide

LOOK: Final = 1.0
"""Seconds between looks whether a Redis that did not answer does again."""
CONNECTIONS: Final = 8  # of one process; who finds none free waits, within the timeout
_SCRIPT: Final = files("docstore.adapters.rate_limits").joinpath("sliding_window.lua").read_text()
T = TypeVar("T")


class RedisRateLimiter:
    """Measures time by the clock of Redis, one for all, unless `now` is given.

    While Redis does not answer within `timeout` seconds this process counts alone, beginning with
    what it was allowed before: so nobody gains by an outage more than what other processes add.
    """

    def __init__(
        self,
        client: "redis.Redis",
        *,
        prefix: str,
        timeout: float,
        now: Callable[[], float] | None = None,
    ) -> None:
        self._client = client
        self._script = client.register_script(_SCRIPT)
        self._prefix = prefix
        self._timeout = timeout
        self._now = now
        self._alone = MemoryRateLimiter(now or time.monotonic)
        self._looking: asyncio.Task[None] | None = None  # while Redis does not answer
        self._outage = Outage("Redis", "each process counts alone for the limits")

    async def take(self, bucket: str, *, cost: int, rate: Rate) -> Decision:
        async def together() -> Decision:
            taken, now = await self._run(bucket, cost, rate)
            return decide(taken, rate, cost=cost, now=now)

        decision = await self._if_it_answers(together)
        if decision is None:
            return await self._alone.take(bucket, cost=cost, rate=rate)
        if decision.allowed and cost:
            await self._alone.take(bucket, cost=cost, rate=rate)
        return decision

    async def give_back(self, bucket: str, *, cost: int, rate: Rate) -> None:
        await self._alone.give_back(bucket, cost=cost, rate=rate)
        await self._if_it_answers(lambda: self._run(bucket, -cost, rate))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})
        await self._client.aclose()

    async def _if_it_answers(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """None, and at once, while it is known not to."""
        if self._looking is not None:
            return None
        try:
            async with asyncio.timeout(self._timeout):
                return await ask()
        except (RedisError, OSError) as error:  # a timeout is an OSError
            self._outage.goes_on(error)
            self._looking = self._looking or asyncio.create_task(self._look())
            return None

    async def _look(self) -> None:
        """Until it answers again: nobody who asks for something has to find that out."""
        try:
            while not await self._answers():  # noqa: ASYNC110  (a server does not tell us)
                await asyncio.sleep(LOOK)
            self._outage.is_over()
        finally:
            self._looking = None

    async def _answers(self) -> bool:
        """A new connection takes a write, which a full server or a replica would refuse."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._client.connection_pool.disconnect(inuse_connections=False)
                await self._run("is it there", -1, Rate(1, LOOK))
        except (RedisError, OSError):
            return False
        return True

    async def _run(self, bucket: str, cost: int, rate: Rate) -> tuple[Sequence[Taken], float]:
        """What counted before, and by which time."""
        answer = await self._script(
            keys=[f"{self._prefix}:limits:{bucket}"],
            args=[cost, rate.limit, rate.window, SLOTS, self._now() if self._now else ""],
        )
        now, *entries = map(float, answer)
        pairs = zip(entries[::2], entries[1::2], strict=True)
        return [Taken(at, int(count)) for at, count in pairs], now


def connect(
    url: str, *, durable: bool = True, now: Callable[[], float] | None = None
) -> RedisRateLimiter:
    """`redis://host:port/database`, or `rediss://` for TLS. Nothing need be durable."""
    settings = RedisSettings()
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=settings.redis_timeout,
        retry=Retry(NoBackoff(), 0),
        **connection_options(url, settings),
    )
    return RedisRateLimiter(
        redis.Redis.from_pool(pool),
        prefix=settings.redis_prefix,
        timeout=settings.redis_timeout,
        now=now,
    )
