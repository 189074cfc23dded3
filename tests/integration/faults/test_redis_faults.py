"""Whatever becomes of the queue's Redis, and of workers that hold its hints: no job is lost, and
none has its effect twice.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from integration.faults.redis_storm import Storm, until
from integration.remains import select
from integration.servers import serving
from integration.services.redis import Redis, redis
from integration.sleeper import with_sleeper
from integration.workers import worker

UPLOADS: Final = 500
AWAY: Final = 60.0  # seconds

pytestmark = [pytest.mark.faults, pytest.mark.anyio, pytest.mark.timeout(900)]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def queue() -> Iterator[Redis]:
    with redis() as server:
        yield server


async def flushed(storm: Storm, queue: Redis) -> None:
    for share in (0.1, 0.3, 0.5, 0.7, 0.9, 1.0):
        await storm.reaches(share)
        with queue.client() as operator:
            operator.flushall()


async def killed(storm: Storm, queue: Redis) -> None:
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        await storm.reaches(share)
        await asyncio.to_thread(queue.restart, signal.SIGKILL)


async def away(storm: Storm, queue: Redis) -> None:
    await storm.reaches(0.2)
    await asyncio.to_thread(queue.stop)
    await storm.reaches(1.0)
    await asyncio.sleep(AWAY)
    await asyncio.to_thread(queue.start)


async def frozen(storm: Storm, queue: Redis) -> None:
    await storm.reaches(0.2)
    queue.send(signal.SIGSTOP)
    await storm.reaches(1.0)
    await asyncio.sleep(AWAY)
    queue.send(signal.SIGCONT)


async def full(storm: Storm, queue: Redis) -> None:
    await storm.reaches(0.2)
    with queue.client() as operator:
        operator.config_set("maxmemory-policy", "noeviction")
        operator.config_set("maxmemory", "1")
        await storm.reaches(1.0)
        operator.config_set("maxmemory", "0")


@pytest.mark.parametrize("harm", [flushed, killed, away, frozen, full])
async def test_no_job_is_lost_with_redis(
    tmp_path: Path, queue: Redis, harm: Callable[[Storm, Redis], Awaitable[None]]
) -> None:
    async def do_harm(storm: Storm) -> None:
        await harm(storm, queue)

    with serving(tmp_path / "data", queue_url=queue.url) as server:
        storm = Storm(server, UPLOADS, do_harm)
        await storm.run()
        print(f"\n{harm.__name__}: {UPLOADS} uploads, all final {storm.took:.1f} s after the harm")
        storm.each_job_had_one_effect()
        assert "Traceback" not in server.log.read_text()


async def test_no_job_is_lost_with_workers(tmp_path: Path, queue: Redis) -> None:
    """That of `serve`, and one beside it, are killed with hints in hand and jobs half done."""
    data, slow = tmp_path / "data", with_sleeper(tmp_path / "packages", seconds=0.1)
    chosen = {"queue_url": queue.url, "patience": "5", "lease": "6", "heartbeat": "2"}
    environment = {**slow, **{f"DOCSTORE_{name.upper()}": value for name, value in chosen.items()}}

    async def kill_workers(storm: Storm) -> None:
        for share in (0.1, 0.3, 0.5, 0.7, 0.9):
            await storm.reaches(share)
            with suppress(ProcessLookupError, KeyError):  # it is being started again
                os.kill(server.children()["_worker"], signal.SIGKILL)
            with worker(data, environment=environment) as another:
                await until(lambda: is_at_work(data, another.pid), 60)

    with serving(data, environment=environment, workers="4", reap_interval="1") as server:
        storm = Storm(server, UPLOADS, kill_workers)
        await storm.run()
        print(f"\nworkers: {UPLOADS} uploads, all final {storm.took:.1f} s after the last kill")
        storm.each_job_had_one_effect()


def is_at_work(data_dir: Path, pid: int) -> bool:
    """Whether that worker holds a job."""
    names = select(data_dir, "SELECT worker FROM jobs WHERE status = 'processing'")
    return any(f":{pid}:" in name for (name,) in names)
