import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from docstore.adapters.processors.jail import MAX_STARTS, Jail
from docstore.adapters.processors.walls import Level
from docstore.adapters.processors.zygote_process import ZygoteFailed
from docstore.application.ports.processor import ProcessorOptions
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import MediaType
from docstore.domain.step import Planned
from unit.adapters import probes
from unit.adapters.jailing import OPTIONS, children, extract, findings_of, opened, zygote

PROBES: Sequence[type[probes.Probe]] = (
    probes.Good, probes.Inmate, probes.Refuses, probes.Raises, probes.Segfaults, probes.Aborts,
    probes.AbortsForMemory, probes.Sleeps, probes.SleepsLong, probes.Spins, probes.Devours,
    probes.Demands, probes.Chatters, probes.Floods, probes.Leaves, probes.Lies, probes.Forks,
    probes.Escapes, probes.KillsItsParent, probes.Complains, probes.ClosesItsAnswer,
    probes.AnswersTwice, probes.Stubborn, probes.Unlimited, probes.Terse, probes.Secretive,
)  # fmt: skip
GOOD_FILES = 10

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def jail(tmp_path: Path) -> AsyncIterator[Jail]:
    """As good as this kernel has it."""
    processors = [probe(OPTIONS) for probe in PROBES]
    async with Jail(processors, options=OPTIONS, folder=tmp_path) as jail:
        yield jail
        assert children(jail) == set()
    assert os.listdir(tmp_path) == []


@pytest.fixture
async def loose(tmp_path: Path) -> AsyncIterator[Jail]:
    """Without walls: what they keep a parser from has to be lived with where there are none."""
    async with opened(PROBES, tmp_path, Level.LIMITS) as jail:
        yield jail


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 # processes tell no event
            await asyncio.sleep(0.01)


async def test_findings_come_back_whole(jail: Jail) -> None:
    [findings] = await extract(jail, probes.Good)
    assert findings.text == "good words"
    assert findings.facts == {"text": {"words": 2, "language": None}}
    assert [picture.data for picture in findings.pictures] == [b"\0png"]


async def test_who_has_no_limits_has_those_of_all(jail: Jail) -> None:
    [findings] = await extract(jail, probes.Unlimited)
    assert findings.text is not None
    assert len(findings.text) == OPTIONS.max_result_bytes - 1000


async def test_only_the_willing_are_planned(jail: Jail) -> None:
    assert jail.plan(MediaType("x/unknown")) == []
    assert jail.plan(MediaType("x/good")) == [Planned(processor="good", version="1")]


@pytest.mark.parametrize(
    ("probe", "code"),
    [
        (probes.Refuses, FailureCode.ARCHIVE_TOO_LARGE),
        (probes.Raises, FailureCode.CRASHED),
        (probes.Segfaults, FailureCode.CRASHED),
        (probes.Aborts, FailureCode.CRASHED),
        (probes.AbortsForMemory, FailureCode.MEMORY),
        (probes.Sleeps, FailureCode.TIMEOUT),
        (probes.Spins, FailureCode.TIMEOUT),
        (probes.Devours, FailureCode.MEMORY),
        (probes.Demands, FailureCode.MEMORY),
        (probes.Chatters, FailureCode.OUTPUT_TOO_LARGE),
        (probes.Floods, FailureCode.OUTPUT_TOO_LARGE),
        (probes.Leaves, FailureCode.CRASHED),
        (probes.Lies, FailureCode.CRASHED),
        (probes.Complains, FailureCode.CRASHED),
        (probes.ClosesItsAnswer, FailureCode.CRASHED),
        (probes.AnswersTwice, FailureCode.CRASHED),
        (probes.Stubborn, FailureCode.TIMEOUT),
        (probes.Terse, FailureCode.OUTPUT_TOO_LARGE),
        (probes.Secretive, FailureCode.CRASHED),
    ],
)
async def test_a_bad_file_fails_alone(
    jail: Jail, probe: type[probes.Probe], code: FailureCode
) -> None:
    before = zygote(jail)
    bad, *good = await asyncio.gather(
        extract(jail, probe),
        *(extract(jail, probes.Good) for _ in range(GOOD_FILES)),
        return_exceptions=True,
    )
    assert isinstance(bad, ProcessingFailed)
    assert bad.failure is code
    assert "/srv/x" not in str(bad)
    texts = [each[0].text for each in good if not isinstance(each, BaseException)]
    assert texts == ["good words"] * GOOD_FILES
    assert zygote(jail) == before


async def test_a_child_holds_nothing_but_its_file(
    jail: Jail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCSTORE_JWT_SECRET", "s" * 32)
    [findings] = await extract(jail, probes.Inmate)
    seen = dict(findings.facts)
    environment = seen.pop("environment")
    assert isinstance(environment, list)
    known = {
        *("LC_CTYPE", "MALLOC_ARENA_MAX", "RAYON_NUM_THREADS", "TOKIO_WORKER_THREADS"),
        "TMPDIR",
    }
    assert set(environment) <= known  # Python itself adds the first
    descriptors = seen.pop("descriptors")
    assert descriptors == [0, 1, 2, 3, 4]
    assert seen == {
        "settings": [],
        "writable": False,
        "no_new_privileges": 1,
        "core": [0, 0],
        "files": [64, 64],
        "characters": 77,
    }


@pytest.mark.parametrize("probe", [probes.Forks, probes.Escapes])
async def test_what_a_child_leaves_behind_is_killed(loose: Jail, probe: type[probes.Probe]) -> None:
    [findings] = await extract(loose, probe)
    left = findings.facts["left_behind"]
    assert isinstance(left, int)
    await until(lambda: not is_there(left))


async def test_cancelling_kills_the_child(jail: Jail) -> None:
    running = asyncio.create_task(extract(jail, probes.SleepsLong))
    await until(lambda: children(jail))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert children(jail) == set()


async def test_a_body_that_fails_passes_its_error_on(jail: Jail) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await findings_of(jail, MediaType("x/good"), broken())


async def test_a_dead_zygote_ends_what_runs_and_is_started_again(loose: Jail) -> None:
    before = zygote(loose)
    running = asyncio.create_task(extract(loose, probes.SleepsLong))
    await until(lambda: children(loose))
    [orphan] = children(loose)
    with pytest.raises(ProcessingFailed) as killer:
        await extract(loose, probes.KillsItsParent)
    with pytest.raises(ProcessingFailed) as victim:
        await running
    assert killer.value.failure is FailureCode.CRASHED
    assert victim.value.failure is FailureCode.CRASHED
    assert (await extract(loose, probes.Good))[0].text == "good words"
    assert zygote(loose) != before
    await until(lambda: not is_there(orphan))


async def test_a_zygote_that_keeps_dying_is_not_started_for_ever(loose: Jail) -> None:
    codes = []
    for _ in range(MAX_STARTS + 1):
        with pytest.raises(ProcessingFailed) as caught:
            await extract(loose, probes.KillsItsParent)
        codes.append(caught.value.failure)
    assert codes == [FailureCode.CRASHED] * MAX_STARTS + [FailureCode.UNAVAILABLE]
    loose._starts.clear()
    await extract(loose, probes.Good)


async def test_a_frozen_zygote_is_replaced(jail: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docstore.adapters.processors.jail.PATIENCE", 0.1)
    os.kill(zygote(jail), signal.SIGSTOP)
    with pytest.raises(ProcessingFailed) as caught:
        await extract(jail, probes.Sleeps)
    assert caught.value.failure is FailureCode.TIMEOUT
    assert (await extract(jail, probes.Good))[0].text == "good words"


async def test_nothing_is_left_when_the_jail_is_closed() -> None:
    processors = [probes.SleepsLong(OPTIONS)]
    async with Jail(processors, options=OPTIONS) as jail:
        running = asyncio.create_task(extract(jail, probes.SleepsLong))
        await until(lambda: children(jail))
        everyone = {zygote(jail)} | children(jail)
    with pytest.raises(ProcessingFailed):
        await running
    assert not any(map(is_there, everyone))


WORKER = """
import asyncio
from unit.adapters.test_jail import *

async def main():
    async with Jail([probes.SleepsLong(OPTIONS)], options=OPTIONS) as jail:
        running = asyncio.create_task(extract(jail, probes.SleepsLong))
        await until(lambda: children(jail))
        print(zygote(jail), *children(jail), flush=True)
        await running

asyncio.run(main())
"""


async def test_nothing_outlives_a_worker_that_is_killed() -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        WORKER,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=asyncio.subprocess.PIPE,
    )
    assert worker.stdout is not None
    everyone = [int(pid) for pid in (await worker.stdout.readline()).split()]
    assert len(everyone) == 2
    worker.kill()
    await worker.wait()
    await until(lambda: not any(map(is_there, everyone)))


async def test_a_processor_that_cannot_be_loaded_stops_the_start() -> None:
    processors = [probes.Unloadable(OPTIONS)]
    with pytest.raises(ZygoteFailed, match="no such library"):
        async with Jail(processors, options=ProcessorOptions(max_text_characters=1)):
            pass


def test_a_processor_must_be_importable() -> None:
    class Local(probes.Good):
        pass

    with pytest.raises(ValueError, match="importable"):
        Jail([Local(OPTIONS)], options=OPTIONS)
