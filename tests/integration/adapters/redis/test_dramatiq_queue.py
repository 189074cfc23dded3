"""The queue's contract, on a real Redis; and what becomes of it when that fails."""

import asyncio
import json
import logging
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from dramatiq.brokers.redis import RedisBroker

from docstore.adapters.queue.dramatiq import broker as adapter
from docstore.adapters.queue.dramatiq import connect
from docstore.adapters.queue.dramatiq.hints import QUEUE, hint
from docstore.adapters.queue.dramatiq.queue import DramatiqJobQueue
from docstore.application.ports.job_queue import JobQueue
from docstore.domain.errors import Unavailable
from docstore.domain.ids import JobId
from docstore.testing import JobQueueContract
from docstore.testing.job_queue import jobs
from integration.services.redis import Redis, redis

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("prefix")]


class TestDramatiqJobQueue(JobQueueContract):
    @pytest.fixture
    async def queue(self, redis_server: Redis) -> AsyncIterator[JobQueue]:
        async with connect(redis_server.url) as queue:
            yield queue


class Handled:
    """Counts what it is called for."""

    def __init__(self) -> None:
        self.times: Counter[JobId] = Counter()

    async def __call__(self, job_id: JobId) -> None:
        self.times[job_id] += 1

    async def all_of(self, *wanted: JobId) -> None:
        await until(lambda: self.times.keys() >= set(wanted))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110  (threads and servers do not tell us)
            await asyncio.sleep(0.005)


async def sent(queue: JobQueue, job_id: JobId) -> None:
    """As the dispatcher does: again, until it is taken."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await queue.send(job_id)
            except Unavailable:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def consumed(url: str) -> AsyncIterator[tuple[DramatiqJobQueue, Handled]]:
    handled = Handled()
    async with connect(url) as queue, queue.consume(handled, slots=2):
        yield queue, handled


async def test_workers_share_the_hints(redis_server: Redis) -> None:
    async with AsyncExitStack() as stack:
        each = [await stack.enter_async_context(consumed(redis_server.url)) for _ in range(3)]
        for number, job_id in enumerate(jobs(60)):
            await each[number % 3][0].send(job_id)
        counts = [handled.times for _, handled in each]
        await until(lambda: sum(counts, Counter()).total() >= 60)
    assert sum(counts, Counter()) == Counter(jobs(60)), "each once"


async def test_a_full_queue_makes_send_wait_for_room(redis_server: Redis, prefix: str) -> None:
    first, second = jobs(2)
    async with connect(redis_server.url) as settings_of:
        queue = DramatiqJobQueue(
            settings_of._client,
            prefix=prefix,
            timeout=10,
            max_hints=1,
            patience=timedelta(milliseconds=100),
        )
        async with queue:
            await queue.send(first)
            with pytest.raises(Unavailable, match="1 hints"):
                await queue.send(second)
            handled = Handled()
            async with queue.consume(handled, slots=1):
                await sent(queue, second)
                await handled.all_of(first, second)


A_HINT = json.loads(hint(jobs(1)[0]).encode())


CHANGES: Sequence[Mapping[str, object]] = [
    {"options": {}},
    {"options": []},
    {"options": {"redis_message_id": "m0", "eta": 10**14}},
    {"options": {"redis_message_id": "m0", "eta": "soon"}},
    {"queue_name": "somebody-elses"},
    {"actor_name": "somebody-elses"},
    {"args": []},
    {"args": 3},
    {"args": ["no id"]},
    {"args": [[1], {"a": 2}]},
    {"kwargs": {"a": 1}},
]


@pytest.mark.parametrize(
    "written",
    [
        b"\xff no message",
        b'{"a": 1}',
        b"[1]",
        *(json.dumps({**A_HINT, **change}).encode() for change in CHANGES),
    ],
)
async def test_what_is_no_hint_of_ours_costs_no_slot(
    redis_server: Redis, prefix: str, caplog: pytest.LogCaptureFixture, written: bytes
) -> None:
    (_, good) = jobs(2)
    broker = RedisBroker(url=redis_server.url, namespace=prefix, middleware=[])  # type: ignore[no-untyped-call]
    with broker.client:
        for number in range(3):  # more than there are slots
            broker.client.hset(f"{prefix}:{QUEUE}.msgs", f"m{number}", written)
            broker.client.rpush(f"{prefix}:{QUEUE}", f"m{number}")
        broker.enqueue(hint(good))
        async with consumed(redis_server.url) as (_, handled):
            await handled.all_of(good)
    assert "Traceback" not in caplog.text


async def test_what_a_dead_worker_held_is_handed_on(
    redis_server: Redis, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "MAINTENANCE", 1_000_000)  # looks with each command
    (job_id,) = jobs(1)
    dead = RedisBroker(url=redis_server.url, namespace=prefix, middleware=[])  # type: ignore[no-untyped-call]
    with dead.client:
        dead.enqueue(hint(job_id))
        assert next(dead.consume(QUEUE)) is not None  # and never acknowledged
        dead.client.zadd(f"{prefix}:__heartbeats__", {dead.broker_id: 0})
    async with consumed(redis_server.url) as (_, handled):
        await handled.all_of(job_id)


def stopped(server: Redis) -> Callable[[], None]:
    server.stop()
    return server.start


def killed(server: Redis) -> Callable[[], None]:
    server.stop(signal.SIGKILL)
    return server.start


def full(server: Redis) -> Callable[[], None]:
    def let(most: str) -> None:
        with server.client() as operator:
            operator.config_set("maxmemory", most)

    let("1")
    return lambda: let("0")


def demoted(server: Redis) -> Callable[[], None]:
    """As by a failover; nobody writes to a replica."""

    def follow(host: str | None, port: int | None) -> None:
        with server.client() as operator:
            operator.slaveof(host, port)

    follow("127.0.0.1", 1)
    return lambda: follow(None, None)


@pytest.mark.parametrize("harm", [stopped, killed, full, demoted])
async def test_an_outage_is_told_once_and_ends_by_itself(
    server: Redis,
    caplog: pytest.LogCaptureFixture,
    harm: Callable[[Redis], Callable[[], None]],
) -> None:
    caplog.set_level(logging.INFO, "docstore")
    before, after = jobs(2)
    async with consumed(server.url) as (queue, handled):
        await queue.send(before)
        await handled.all_of(before)
        cure = harm(server)
        for _ in range(20):
            with pytest.raises(Unavailable, match="the queue in Redis: "):
                await queue.send(after)
        with pytest.raises(Unavailable):
            await queue.ping()
        cure()
        await sent(queue, after)
        await handled.all_of(after)
        await queue.ping()
    away, back = caplog.messages
    assert away.startswith("the queue in Redis does not answer: ")
    assert away.endswith("; jobs wait until it does")
    assert back.startswith("the queue in Redis answers again, after ")
    assert "Traceback" not in caplog.text


async def test_hints_flow_after_everything_was_flushed(server: Redis) -> None:
    before, after = jobs(2)
    async with consumed(server.url) as (queue, handled):
        await queue.send(before)
        await handled.all_of(before)
        with server.client() as operator:
            operator.flushall()
            operator.script_flush()
        await queue.send(after)
        await handled.all_of(after)


@pytest.mark.parametrize("act", [lambda queue: queue.send(jobs(1)[0]), lambda queue: queue.ping()])
async def test_nobody_waits_long_for_one_that_hangs(
    server: Redis,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[DramatiqJobQueue], Awaitable[None]],
) -> None:
    monkeypatch.setenv("DOCSTORE_REDIS_TIMEOUT", "0.1")
    async with connect(server.url) as queue:
        server.send(signal.SIGSTOP)
        async with asyncio.timeout(30):
            for _ in range(10):
                with pytest.raises(Unavailable, match=r"^the queue in Redis: \w"):
                    await act(queue)


async def test_a_worker_can_stop_while_it_hangs(server: Redis) -> None:
    async with asyncio.timeout(30):
        async with consumed(server.url) as (queue, handled):
            await queue.send(jobs(1)[0])
            await handled.all_of(*jobs(1))
            server.send(signal.SIGSTOP)
        server.send(signal.SIGCONT)


async def test_leaving_is_not_held_up_by_a_handler_that_goes_on(redis_server: Redis) -> None:
    inside = asyncio.Event()

    async def handle(job_id: JobId) -> None:
        inside.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    async with (
        asyncio.timeout(30),
        connect(redis_server.url) as queue,
        queue.consume(handle, slots=1),
    ):
        await queue.send(jobs(1)[0])
        await inside.wait()


SECRET = "s3cr:t/w@rd"


async def test_a_password_is_never_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with redis("--requirepass", SECRET) as guarded:
        monkeypatch.setenv("DOCSTORE_REDIS_PASSWORD", SECRET)
        async with connect(guarded.url) as queue:
            await queue.ping()
        monkeypatch.setenv("DOCSTORE_REDIS_PASSWORD", wrong := "another s3cr:t")
        async with connect(guarded.url) as queue:
            with pytest.raises(Unavailable) as refused:
                await queue.ping()
    assert "invalid username-password pair" in str(refused.value)
    for told in (str(refused.value), caplog.text):
        assert SECRET not in told
        assert wrong not in told


@pytest.mark.parametrize(
    "url",
    [
        "redis://host?password=s3cret",
        "redis://host?socket_timeout=1000",
        "redis://me:s3#cret@host",
        "redis://:s3cret@host:x",
        "redis://host/cret",
        "redis:///0",
    ],
)
async def test_a_url_that_is_none_is_refused_without_telling_it(url: str) -> None:
    with pytest.raises(ValueError, match="DOCSTORE_REDIS_PASSWORD") as refused:
        connect(url)
    assert "cret" not in str(refused.value)
