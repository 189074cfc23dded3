"""What stands between Dramatiq's threads and the event loop; no server is needed."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from docstore.adapters.queue.dramatiq.bridge import Bridge
from docstore.adapters.queue.dramatiq.intake import Intake
from docstore.domain.ids import JobId
from docstore.testing.job_queue import jobs

LONG = 30.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def later(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_there_is_room_for_as_many_as_there_are_slots() -> None:
    intake = Intake(2)
    assert [intake.enter(0), intake.enter(0), intake.enter(0)] == [True, True, False]
    intake.leave()
    assert [intake.enter(0), intake.enter(0)] == [True, False]


def test_who_waits_for_room_is_told() -> None:
    intake = Intake(0)
    thread = later(intake.leave)
    assert intake.enter(LONG)
    thread.join()


def test_the_bell_ends_a_rest_once() -> None:
    intake = Intake(0)
    intake.ring()
    assert [intake.rest(LONG), intake.rest(0)] == [True, False]
    thread = later(intake.ring)
    assert intake.rest(LONG)
    thread.join()


def test_nothing_is_waited_for_once_it_is_shut() -> None:
    intake = Intake(1)
    thread = later(intake.shut)
    assert not intake.rest(LONG)
    thread.join()
    assert not intake.enter(LONG)
    assert not intake.rest(LONG)


@pytest.mark.anyio
async def test_a_thread_waits_until_its_hint_is_handled() -> None:
    (job_id,) = jobs(1)
    handled: list[tuple[JobId, int]] = []

    async def handle(job_id: JobId) -> None:
        await asyncio.sleep(0)
        handled.append((job_id, threading.get_ident()))

    bridge = Bridge(handle)
    assert await asyncio.to_thread(bridge.cross, job_id)
    assert handled == [(job_id, threading.get_ident())], "on the loop's own thread"
    await bridge.close()


@pytest.mark.anyio
async def test_what_comes_while_it_closes_is_not_handled() -> None:
    """Those inside are cancelled, and count as handled: they have given the job back."""
    inside, ends = asyncio.Event(), []

    async def handle(job_id: JobId) -> None:
        inside.set()
        try:
            await asyncio.Event().wait()
        finally:
            ends.append(job_id)

    first, second = jobs(2)
    bridge = Bridge(handle)
    with ThreadPoolExecutor(2) as threads:
        running = threads.submit(bridge.cross, first)
        await inside.wait()
        await bridge.close()
        assert ends == [first]
        late = threads.submit(bridge.cross, second)
        assert await asyncio.wrap_future(running)
        assert not await asyncio.wrap_future(late)
    assert ends == [first]
