"""The simulated loop: no waiting, no cleanup for the dead, no step for the frozen."""

import asyncio
import gc
from collections.abc import AsyncIterator, Coroutine
from random import Random
from typing import Any

import pytest

from simulation.loop import MAX_STEPS, SimulatedLoop, Stuck, simulated_loop
from simulation.process import Process, inside


@pytest.fixture
def loop() -> SimulatedLoop:
    return simulated_loop(Random(1))


def run(loop: SimulatedLoop, main: Coroutine[Any, Any, None]) -> None:
    try:
        loop.run(main)
    finally:
        loop.close()


def test_time_passes_by_jumps(loop: SimulatedLoop) -> None:
    async def main() -> None:
        await asyncio.sleep(10_000)
        async with asyncio.timeout(5):
            await asyncio.sleep(4)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.sleep(6)

    run(loop, main())
    assert loop.time() == 10_009


def test_the_dead_do_not_clean_up(loop: SimulatedLoop) -> None:
    process = Process("p")
    done: list[str] = []

    async def doomed() -> None:
        try:
            done.append("begun")
            await asyncio.sleep(10)
        finally:
            done.append("cleaned up")

    async def main() -> None:
        loop.create_task(doomed(), context=inside(process))
        await asyncio.sleep(1)
        process.is_dead = True
        await asyncio.sleep(20)
        assert done == ["begun"]

    run(loop, main())


def test_the_buried_are_not_heard_of_again(loop: SimulatedLoop) -> None:
    async def cleanup() -> None:
        await asyncio.sleep(1)

    async def doomed() -> None:
        try:
            await asyncio.sleep(10)
        except BaseException:
            await asyncio.shield(cleanup())
            raise
        finally:
            await cleanup()

    async def main() -> None:
        loop.create_task(doomed())
        await asyncio.sleep(1)

    asyncio.set_event_loop(None)  # as after any asyncio.run
    run(loop, main())
    gc.collect()  # a coroutine that was never awaited would be a warning, an error here


def test_tasks_of_a_process_die_with_it(loop: SimulatedLoop) -> None:
    process = Process("p")
    done: list[str] = []

    async def child() -> None:
        await asyncio.sleep(10)
        done.append("child")

    async def parent() -> None:
        await asyncio.gather(child(), asyncio.shield(child()))

    async def main() -> None:
        loop.create_task(parent(), context=inside(process))
        await asyncio.sleep(1)
        process.is_dead = True
        await asyncio.sleep(20)

    run(loop, main())
    assert done == []


def test_the_frozen_go_on_where_they_were(loop: SimulatedLoop) -> None:
    process = Process("p")
    times: list[float] = []

    async def worker() -> None:
        for _ in range(3):
            await asyncio.sleep(1)
            times.append(loop.time())

    async def main() -> None:
        task = loop.create_task(worker(), context=inside(process))
        await asyncio.sleep(1.5)
        process.is_frozen = True
        await asyncio.sleep(100)
        loop.revive(process)
        await task

    run(loop, main())
    assert times == [1, 101.5, 102.5]


def test_processes_take_turns_by_lot_but_each_keeps_its_order(loop: SimulatedLoop) -> None:
    steps: list[str] = []

    async def main() -> None:
        for name in "abc":
            context = inside(Process(name))
            for number in range(4):
                loop.call_soon(steps.append, f"{name}{number}", context=context)
        await asyncio.sleep(1)

    run(loop, main())
    assert steps != sorted(steps)
    for name in "abc":
        assert [step for step in steps if step[0] == name] == [f"{name}{n}" for n in range(4)]


def test_a_generator_that_is_left_is_closed(loop: SimulatedLoop) -> None:
    closed: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(1)
            closed.append("numbers")

    async def main() -> None:
        async for _ in numbers():
            break
        await asyncio.sleep(2)
        assert closed == ["numbers"]

    run(loop, main())


@pytest.mark.parametrize("endless", [True, False])
def test_a_loop_that_gets_nowhere_says_so(loop: SimulatedLoop, endless: bool) -> None:
    async def main() -> None:
        while endless:  # noqa: ASYNC110  # it is the point
            await asyncio.sleep(0)
        await loop.create_future()

    with pytest.raises(Stuck, match=str(MAX_STEPS) if endless else "everybody waits"):
        run(loop, main())


def test_there_are_no_threads(loop: SimulatedLoop) -> None:
    async def main() -> None:
        with pytest.raises(AssertionError, match="thread"):
            await asyncio.to_thread(print)

    run(loop, main())
