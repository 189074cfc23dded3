import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from inspect import signature
from pathlib import Path

import pytest

from docstore.adapters.rate_limits import memory, sqlite
from docstore.adapters.rate_limits.memory import MemoryRateLimiter
from docstore.adapters.rate_limits.sqlite import SqliteRateLimiter
from docstore.application.ports.rate_limiter import RateLimiter
from docstore.domain.errors import Unavailable
from docstore.domain.rates import Rate
from docstore.testing import RateLimiterContract
from docstore.testing.rate_limiter import MINUTE, Clock


class TestMemoryRateLimiter(RateLimiterContract):
    @pytest.fixture
    def limiter(self, clock: Clock) -> RateLimiter:
        return MemoryRateLimiter(clock)


class TestSqliteRateLimiter(RateLimiterContract):
    @pytest.fixture
    async def limiter(self, clock: Clock, tmp_path: Path) -> AsyncIterator[RateLimiter]:
        async with SqliteRateLimiter(tmp_path / "new" / "limits.db", clock) as limiter:
            yield limiter


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("limiter", [MemoryRateLimiter, SqliteRateLimiter])
def test_the_clock_is_one_that_nobody_can_set(limiter: type) -> None:
    assert signature(limiter).parameters["now"].default is time.monotonic


@pytest.mark.anyio
async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_BUCKETS", 100)
    limiter = MemoryRateLimiter(Clock())
    for number in range(1000):
        await limiter.take(f"bucket {number}", cost=1, rate=MINUTE)
        await limiter.take("busy", cost=1, rate=Rate(5000, 60.0))
    assert len(limiter) == 100
    busy = await limiter.take("busy", cost=0, rate=Rate(5000, 60.0))
    assert busy.remaining == 4000, "what is used is not what makes room"


@pytest.mark.anyio
async def test_what_counts_no_more_is_forgotten() -> None:
    clock = Clock()
    limiter = MemoryRateLimiter(clock)
    for number in range(50):
        await limiter.take(f"bucket {number}", cost=1, rate=MINUTE)
    clock.now += 61
    await limiter.take("new", cost=1, rate=MINUTE)
    assert len(limiter) == 1


@pytest.mark.anyio
async def test_a_file_is_shared_by_all_who_open_it(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        url = f"sqlite://{tmp_path}/a%20b.db"
        limiters = [await stack.enter_async_context(sqlite.connect(url)) for _ in range(4)]
        asked = (limiter.take("b", cost=1, rate=MINUTE) for limiter in limiters * 10)
        assert sum(decision.allowed for decision in await asyncio.gather(*asked)) == 10
    assert (tmp_path / "a b.db").stat().st_mode & 0o777 == 0o600


BURST = """
import asyncio, sys
from pathlib import Path
from docstore.adapters.rate_limits.sqlite import SqliteRateLimiter
from docstore.domain.rates import Rate
from docstore.testing.rate_limiter import taken

async def burst():
    async with SqliteRateLimiter(Path(sys.argv[1])) as limiter:
        print(await taken(limiter, 50, rate=Rate(50, 3600.0)))

asyncio.run(burst())
"""


def test_of_200_at_once_in_4_processes_50_pass(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BURST, str(tmp_path / "limits.db")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    assert sum(int(process.communicate(timeout=60)[0]) for process in processes) == 50


@pytest.mark.anyio
async def test_rows_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "TIDY_EVERY", 10)
    monkeypatch.setattr(sqlite, "MOST_BUCKETS", 20)
    clock = Clock()
    async with SqliteRateLimiter(tmp_path / "limits.db", clock) as limiter:
        for number in range(100):
            await limiter.take(f"bucket {number}", cost=1, rate=MINUTE)
        assert await _rows(limiter) < 40
        clock.now += 61
        for _ in range(11):
            await limiter.take("new", cost=1, rate=Rate(99, 60.0))
        assert await _rows(limiter) == 1


async def _rows(limiter: SqliteRateLimiter) -> int:
    def count() -> int:
        (found,) = limiter._open().execute("SELECT count(*) FROM buckets").fetchone()
        return int(found)

    return await limiter._apart(count)


@pytest.mark.anyio
async def test_while_the_disk_is_full_each_process_has_its_own(tmp_path: Path) -> None:
    async with SqliteRateLimiter(tmp_path / "limits.db") as limiter:
        assert (await limiter.take("short", cost=1, rate=MINUTE)).allowed
        await limiter._apart(
            lambda: limiter._open().execute("PRAGMA max_page_count = 1").fetchall()
        )
        long = "x" * 9000  # it takes a page
        asked = [await limiter.take(long, cost=1, rate=Rate(3, 60.0)) for _ in range(5)]
        assert [each.allowed for each in asked] == [True] * 3 + [False] * 2
        await limiter.give_back(long, cost=1, rate=Rate(3, 60.0))
        assert (await limiter.take(long, cost=1, rate=Rate(3, 60.0))).allowed


@pytest.mark.anyio
async def test_a_file_that_cannot_be_used_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is no database, however long one looks at it")
    (tmp_path / "file").touch()
    for path in (tmp_path / "broken.db", tmp_path / "file" / "limits.db"):
        async with SqliteRateLimiter(path) as limiter:
            with pytest.raises(Unavailable):
                await limiter.take("b", cost=1, rate=MINUTE)
