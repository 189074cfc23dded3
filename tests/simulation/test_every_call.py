"""Each port call of each use case fails once, and dies once: nothing is lost or left behind."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from docstore.adapters.persistence.memory import MemoryDatabase
from docstore.adapters.storage.memory import MemoryBlobStore
from docstore.application.docstore import Docstore
from simulation.loop import simulated_loop
from simulation.nth_call import Mode, NthCall
from simulation.rehearsal import Rehearsal, Scene, Stage, found, strike
from simulation.scenes import SCENES, upload_three, work

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Every fault is logged, thousands of times."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def rehearse(scene: Scene, weather: NthCall, *, sweeps: bool = True) -> Rehearsal:
    """On memory adapters, on a clock that does not wait for the pauses between tries."""
    loop = simulated_loop(Random(0))
    rehearsals: list[Rehearsal] = []

    def clock() -> datetime:
        return START + timedelta(seconds=loop.time())

    async def main() -> None:
        stage = Stage(MemoryDatabase(clock).begin, MemoryBlobStore(clock), pace=1.0)
        rehearsal = await found(stage)
        await scene.prepare(rehearsal, stage.docstore("stage hand", NthCall())[0])
        await strike(rehearsal, scene, weather)
        if weather.struck and scene.uploads:
            await rehearsal.judge_refusal(weather)
        if scene.act is work:
            await rehearsal.judge_stop(weather)
        await rehearsal.recover(sweeps=sweeps)
        await rehearsal.judge(all_or_none=scene.uploads)
        rehearsals.append(rehearsal)

    try:
        loop.run(main())
    finally:
        loop.close()
    return rehearsals[0]


def calls_of(scene: Scene) -> int:
    weather = NthCall()
    rehearsal = rehearse(scene, weather)
    assert rehearsal.broken == [], "it fails without a fault"
    return len(weather.calls)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("name", SCENES)
def test_whatever_fails_everything_is_whole_afterwards(name: str, mode: Mode) -> None:
    scene = SCENES[name]
    calls = calls_of(scene)
    assert calls >= 5
    for nth in range(1, calls + 1):
        weather = NthCall(nth, mode)
        rehearsal = rehearse(scene, weather)
        assert rehearsal.broken == [], f"call {nth} of {calls}, {weather.struck}, {mode}"


def test_most_calls_are_struck() -> None:
    struck = [w for w in (NthCall(n, Mode.CRASH_AFTER) for n in range(1, 8)) if _hits(w)]
    assert len(struck) >= 5, "an answer can be lost of all calls but `begin` and `end`"


def _hits(weather: NthCall) -> bool:
    rehearse(SCENES["upload of one file"], weather)
    return weather.struck is not None


def test_a_sweep_is_what_the_promises_need() -> None:
    """A control: without one, a crash in the middle of an upload leaves orphans."""
    scene = SCENES["upload of three files"]
    broken = [
        rehearse(scene, NthCall(nth, Mode.CRASH_BEFORE), sweeps=False).broken
        for nth in range(1, calls_of(scene) + 1)
    ]
    assert any("I4" in line for lines in broken for line in lines)


async def _discards_in_any_case(rehearsal: Rehearsal, docstore: Docstore) -> None:
    """A bug: what was staged is deleted though its row may be committed."""
    try:
        await upload_three(rehearsal, docstore)
    except BaseException:
        for key in await rehearsal.keys():
            await rehearsal.stage.blobs.delete(key)
        raise


def test_a_row_without_bytes_is_noticed() -> None:
    scene = replace(SCENES["upload of three files"], act=_discards_in_any_case)
    broken = [
        line
        for nth in range(1, calls_of(scene) + 1)
        for line in rehearse(scene, NthCall(nth, Mode.FAIL_AFTER)).broken
    ]
    assert any("fsck" in line for line in broken)
