"""The whole write path on a disk that loses its power at any call, with any of what was not synced.

The rows are the commit point: a commit is all or nothing, and durable, as that of SQLite is with
`synchronous=FULL`. The disk may have kept or lost each change of names that nobody synced, and the
bytes that nobody synced. Then another process starts on what is left.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from random import Random
from typing import Any, Final

import pytest

from docstore.adapters.persistence.memory import MemoryDatabase
from docstore.adapters.storage.filesystem import FilesystemBlobStore
from docstore.application import working
from docstore.application.docstore import Docstore
from docstore.application.ports.unit_of_work import UnitOfWork
from docstore.domain.errors import Damaged
from simulated_fs import ROOT, Crash, SimFs
from simulation.nth_call import NthCall
from simulation.rehearsal import Rehearsal, Scene, Stage, found
from simulation.scenes import FINE, SCENES, delete, nothing, retry, work

pytestmark = pytest.mark.anyio

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
MOST_MOMENTS: Final = 400
MOST_SUBSETS: Final = {"full": 2**6, "long": 2**20}  # at one moment; 2**6 are all in most scenes
LENGTH: Final = os.environ.get("DOCSTORE_TEST_FAULTS", "full")
SEED: Final = int(os.environ.get("DOCSTORE_TEST_SEED", "0"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No pause between tries, and no log of crashes that are wanted."""
    monkeypatch.setattr(working, "SETTLE_PAUSE", 0.0)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Committing:
    """A transaction on the machine of `fs`: its commit is a moment at which the power may go."""

    def __init__(self, unit: UnitOfWork, fs: SimFs) -> None:
        self._unit = unit
        self._fs = fs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    async def commit(self) -> None:
        self._fs.note("commit")
        await self._unit.commit()

    async def __aenter__(self) -> "Committing":
        await self._unit.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._unit.__aexit__(*error)


def a_stage(fs: SimFs, database: MemoryDatabase, *, durable: bool = True) -> Stage:
    def begin(*, read_only: bool = False, add_only: bool = False) -> Any:
        return Committing(database.begin(read_only=read_only, add_only=add_only), fs)

    # Everything on the simulated disk is as old as the disk, so any grace is over for `tidy`.
    later = START + timedelta(days=1)
    store = FilesystemBlobStore(ROOT, fs=fs, durable=durable, now=lambda: later)
    return Stage(begin, store)


async def a_whole_life(rehearsal: Rehearsal, docstore: Docstore) -> None:
    """Upload, process, process again, delete, purge."""
    await rehearsal.upload(docstore, FINE)
    await work(rehearsal, docstore)
    await retry(rehearsal, docstore)
    await work(rehearsal, docstore)
    await delete(rehearsal, docstore)
    await work(rehearsal, docstore)


LIFE: Final = Scene(prepare=nothing, act=a_whole_life, uploads=1)


async def acted(
    scene: Scene, moment: int | None, *, durable: bool = True
) -> tuple[Rehearsal, SimFs, MemoryDatabase]:
    """The act until the power goes, after so many moments of it; None: until its end."""
    fs, database = SimFs(), MemoryDatabase(lambda: START)
    stage = a_stage(fs, database, durable=durable)
    rehearsal = await found(stage)
    docstore, _ = stage.docstore("actor", NthCall())
    await scene.prepare(rehearsal, docstore)
    fs = fs.after_power_loss([True] * fs.unsynced)  # what was prepared is long since synced
    stage.blobs = a_stage(fs, database, durable=durable).blobs
    stage.begin = a_stage(fs, database).begin
    docstore, _ = stage.docstore("actor", NthCall())
    if moment is not None:
        fs.crash_at = moment
    with suppress(Crash):
        await scene.act(rehearsal, docstore)
    return rehearsal, fs, database


def subsets(fs: SimFs, most: int, chance: Random) -> Iterator[SimFs]:
    """What may be found: all of it, or `most` at random, the extremes among them."""
    number = fs.unsynced
    if 2**number <= most:
        keeps: Sequence[Sequence[bool]] = [*product([False, True], repeat=number)]
    else:
        drawn = [[chance.random() < 0.5 for _ in range(number)] for _ in range(most - 2)]
        keeps = [[False] * number, [True] * number, *drawn]
    for share, keep in product(fs.shares, keeps):
        yield fs.after_power_loss(keep, share)


async def judged(
    rehearsal: Rehearsal, fs: SimFs, database: MemoryDatabase, scene: Scene
) -> Sequence[str]:
    """What is broken once another process has started on that disk and those rows."""
    copy = MemoryDatabase(lambda: START)
    copy.rows = database.rows.copy()
    stage = a_stage(fs, copy)
    stage.ahead = rehearsal.stage.ahead
    after = Rehearsal(stage, rehearsal.owner, rehearsal.history)
    await after.recover()
    try:
        await after.judge(all_or_none=scene.uploads)
    except Damaged as error:
        after.broken.append(f"I1: {error}")
    if left := [path for path in fs.files() if ".incoming" in path]:
        after.broken.append(f"I4: still on its way: {left}")
    return after.broken


async def every_moment(scene: Scene, most: int, *, durable: bool = True) -> tuple[int, list[str]]:
    """How many disks were found, and all that was broken on one of them."""
    chance = Random(SEED)
    disks, broken = 0, []
    for moment in range(MOST_MOMENTS):
        rehearsal, fs, database = await acted(scene, moment, durable=durable)
        for disk in subsets(fs, most, chance):
            disks += 1
            lines = await judged(rehearsal, disk, database, scene)
            broken += [f"moment {moment} ({fs.calls[-1:]}): {line}" for line in lines]
        if len(fs.calls) < moment:  # it needs no more than that: the power went after its end
            return disks, broken
    raise AssertionError(f"{MOST_MOMENTS} moments were not enough")


async def test_the_act_itself_breaks_nothing() -> None:
    rehearsal, fs, database = await acted(LIFE, None)
    assert fs.calls.count("commit") >= 9
    assert await judged(rehearsal, fs, database, LIFE) == []


async def test_a_whole_life_survives_a_power_loss_at_any_moment() -> None:
    disks, broken = await every_moment(LIFE, most=4)
    assert broken == []
    assert disks > 300


async def test_a_store_that_does_not_sync_is_noticed() -> None:
    """A control: without fsync, rows are left that name bytes which are gone."""
    _, broken = await every_moment(SCENES["upload of one file"], most=4, durable=False)
    assert any("I1" in line or "fsck" in line for line in broken)


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ["a whole life", *SCENES])
async def test_every_scene_survives_a_power_loss_at_any_moment(name: str) -> None:
    """With every subset of what was not synced; of those of a whole life, and of a sweep, there are
    hundreds of thousands, and only the longest form tries them all."""
    scene = LIFE if name == "a whole life" else SCENES[name]
    disks, broken = await every_moment(scene, most=MOST_SUBSETS[LENGTH])
    print(f"\n{name}: {disks} disks")
    assert broken == []


@pytest.mark.parametrize("name", ["upload of one file", "processing that succeeds"])
async def test_no_subset_of_what_was_not_synced_breaks_anything(name: str) -> None:
    disks, broken = await every_moment(SCENES[name], most=2**8)
    assert broken == []
    assert disks > 100


async def test_subsets_are_all_or_the_extremes_and_more() -> None:
    _, fs, _ = await acted(SCENES["upload of one file"], 6)
    assert fs.unsynced > 0
    every = len(fs.shares) * 2**fs.unsynced
    assert len([*subsets(fs, 2**fs.unsynced, Random(0))]) == every
    assert len([*islice(subsets(fs, 2, Random(0)), 10)]) in (2, 6, every)
