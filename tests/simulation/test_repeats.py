"""An upload with a key, struck at each of its port calls, then sent again: there is one file."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, TypeVar

import pytest

from docstore.adapters.persistence.memory import MemoryDatabase
from docstore.adapters.storage.memory import MemoryBlobStore
from docstore.application.docstore import Docstore
from docstore.application.repeating import Once
from docstore.application.uploading import Part
from docstore.domain.errors import DocstoreError, InProgress
from docstore.domain.idempotency import RUNNING, IdempotencyKey
from docstore.domain.ids import FileId
from simulation.loop import simulated_loop
from simulation.nth_call import Mode, NthCall
from simulation.rehearsal import Rehearsal, Scene, Stage, found, strike
from simulation.scenes import FINE, nothing

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
ONCE: Final = Once(key=IdempotencyKey("8e03978e"), route="/files")
DIES: Final = (Mode.CRASH_BEFORE, Mode.CRASH_AFTER)
A_WHILE: Final = timedelta(seconds=RUNNING + 1)

T = TypeVar("T")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Every fault is logged, hundreds of times."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def simulated(act: Callable[[Rehearsal], Awaitable[T]]) -> T:
    """On memory adapters and a clock that does not wait."""
    loop = simulated_loop(Random(0))
    results: list[T] = []

    def clock() -> datetime:
        return START + timedelta(seconds=loop.time())

    async def main() -> None:
        stage = Stage(MemoryDatabase(clock).begin, MemoryBlobStore(clock), pace=1.0)
        results.append(await act(await found(stage)))

    try:
        loop.run(main())
    finally:
        loop.close()
    return results[0]


async def upload(rehearsal: Rehearsal, docstore: Docstore) -> FileId:
    async def body() -> AsyncIterator[bytes]:
        yield FINE[:5]
        await asyncio.sleep(2 * RUNNING)  # so that the claim is renewed
        yield FINE[5:]

    async def parts() -> AsyncIterator[Part]:
        yield Part(name="a.txt", body=body())

    files = await docstore.upload(owner=rehearsal.owner, parts=parts(), once=ONCE)
    rehearsal.history.uploaded(rehearsal.owner, files, [FINE])
    return files[0].id


SCENE: Final = Scene(prepare=nothing, act=upload, uploads=1)


async def again(rehearsal: Rehearsal, *, is_held: bool = False) -> FileId:
    """What a client is told who sends it once more; only a dead process may hold the key still,
    and only for a minute."""
    docstore, _ = rehearsal.stage.docstore("again", NthCall())
    try:
        return await upload(rehearsal, docstore)
    except InProgress:
        assert is_held
    rehearsal.stage.ahead += A_WHILE
    return await upload(rehearsal, docstore)


def rehearse(weather: NthCall) -> Rehearsal:
    async def act(rehearsal: Rehearsal) -> Rehearsal:
        await strike(rehearsal, SCENE, weather)
        await rehearsal.judge_refusal(weather)
        is_dead = weather.mode in DIES
        told = {*rehearsal.history.acknowledged, await again(rehearsal, is_held=is_dead)}
        told.add(await again(rehearsal))
        await rehearsal.recover()
        told.add(await again(rehearsal))
        await rehearsal.judge(all_or_none=0)
        assert [file.id for file in await rehearsal.files()] == [*told]
        assert len(await rehearsal.jobs()) == 1
        return rehearsal

    return simulated(act)


@pytest.mark.parametrize("mode", Mode)
def test_whatever_fails_there_is_one_file_in_the_end(mode: Mode) -> None:
    calm = NthCall()
    assert rehearse(calm).broken == []
    assert {"claims.find", "claims.put", "put", "files.add", "jobs.add"} <= {*calm.calls}
    assert calm.calls.count("claims.put") > 3, "it is renewed"
    for nth in range(1, len(calm.calls) + 1):
        weather = NthCall(nth, mode)
        assert rehearse(weather).broken == [], f"call {nth}, {weather.struck}, {mode}"


def test_fifty_at_once_make_one_file() -> None:
    async def act(rehearsal: Rehearsal) -> Rehearsal:
        stage = rehearsal.stage
        stores = [stage.docstore(f"process {n}", NthCall())[0] for n in range(4)]
        sent = (upload(rehearsal, stores[n % 4]) for n in range(50))
        answers = await asyncio.gather(*sent, return_exceptions=True)
        assert sum(isinstance(answer, InProgress) for answer in answers) == 49
        (made,) = [answer for answer in answers if not isinstance(answer, DocstoreError)]
        assert made == await again(rehearsal)
        assert [file.id for file in await rehearsal.files()] == [made]
        assert len(await rehearsal.keys()) == len(await rehearsal.jobs()) == 1
        return rehearsal

    simulated(act)


def test_a_request_that_was_given_up_cannot_answer_any_more() -> None:
    async def act(rehearsal: Rehearsal) -> None:
        docstore, _ = rehearsal.stage.docstore("slow", NthCall())
        slow = asyncio.create_task(upload(rehearsal, docstore))
        await asyncio.sleep(1)
        rehearsal.stage.ahead += A_WHILE  # its process stood still
        made = await again(rehearsal)
        with pytest.raises(InProgress):
            await slow
        assert [file.id for file in await rehearsal.files()] == [made]
        assert len(await rehearsal.keys()) == 1, "it took its bytes back"

    simulated(act)
