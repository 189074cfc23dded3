"""Each port call fails once and dies once, on SQLite and files: what a new opening makes of it."""

import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from docstore.adapters.persistence.sql.inline import database as sql
from docstore.adapters.storage import filesystem
from docstore.application import working
from simulation.nth_call import Mode, NthCall
from simulation.rehearsal import Rehearsal, Scene, Stage, found, strike
from simulation.scenes import SCENES

MODES = (Mode.FAIL_BEFORE, Mode.FAIL_AFTER, Mode.CRASH_BEFORE, Mode.CRASH_AFTER, Mode.HANG_UP)
SHORT = ("upload of three files", "processing that succeeds")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No pause between tries, and no log of faults that are wanted."""
    monkeypatch.setattr(working, "SETTLE_PAUSE", 0.0)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to be copied, so that not every rehearsal has to migrate; filled by the first."""
    return tmp_path_factory.mktemp("empty")


async def _migrated(folder: Path) -> None:
    if not (folder / "docstore.db").exists():
        async with sql.connect(_url(folder), durable=False) as database:
            await database.migrate()
        (folder / "blobs").mkdir()


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'docstore.db'}"


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Stage]:
    """The adapters as a process finds them that was started just now."""
    blobs = filesystem.connect((folder / "blobs").as_uri(), durable=False)
    async with sql.connect(_url(folder), durable=False) as database:
        yield Stage(database.begin, blobs)


async def rehearse(folder: Path, scene: Scene, weather: NthCall) -> Rehearsal:
    async with opened(folder) as stage:
        before = await found(stage)
        await scene.prepare(before, stage.docstore("stage hand", NthCall())[0])
        await strike(before, scene, weather)
    async with opened(folder) as stage:
        stage.ahead = before.stage.ahead
        after = Rehearsal(stage, before.owner, before.history)
        await after.recover()
        await after.judge(all_or_none=scene.uploads)
    return after


async def every_call_of(scene: Scene, mode: Mode, empty: Path, folder: Path) -> None:
    await _migrated(empty)
    nth, weather = 0, NthCall()
    while nth <= len(weather.calls):
        nth, weather = nth + 1, NthCall(nth + 1, mode)
        stage = folder / str(nth)
        shutil.copytree(empty, stage)
        rehearsal = await rehearse(stage, scene, weather)
        assert rehearsal.broken == [], f"call {nth}, {weather.struck}, {mode}"
        shutil.rmtree(stage)
    assert nth > 5


@pytest.mark.anyio
@pytest.mark.parametrize("name", SHORT)
async def test_what_was_struck_in_the_middle_is_whole(
    name: str, empty: Path, tmp_path: Path
) -> None:
    await every_call_of(SCENES[name], Mode.CRASH_AFTER, empty, tmp_path)


@pytest.mark.anyio
@pytest.mark.faults
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SCENES)
async def test_whatever_fails_everything_is_whole(
    name: str, mode: Mode, empty: Path, tmp_path: Path
) -> None:
    await every_call_of(SCENES[name], mode, empty, tmp_path)
