import asyncio
from functools import partial
from pathlib import Path

import pytest

import docstore
from docstore.domain.errors import Unavailable
from docstore.domain.lifecycle import FileStatus
from docstore.entrypoints.worker import _Turns

PATIENCE = 3600.0  # far longer than the test may take


@pytest.mark.anyio
async def test_hints_that_died_with_a_queue_are_told_again(tmp_path: Path) -> None:
    async with docstore.open(tmp_path, worker=False, patience=PATIENCE) as store:
        me = await store.accounts.ensure("me")
        file = await store.upload(me, b"words", filename="a.txt")
        assert await store.docstore.background.dispatch() == 1  # nobody consumes this queue
    async with docstore.open(tmp_path, patience=PATIENCE, isolation="none") as store:
        me = await store.accounts.ensure("me")
        file = await asyncio.wait_for(store.wait(me, file.id), timeout=30)
    assert file.status is FileStatus.PROCESSED


async def failing(error: Exception) -> None:
    raise error


@pytest.mark.anyio
async def test_a_loop_tells_once_of_what_lasts(caplog: pytest.LogCaptureFixture) -> None:
    turns = _Turns()
    away, full = Unavailable("away"), Unavailable("full")
    for error in (away, away, away, full, away):
        assert await turns.take(partial(failing, error)) is None
    assert await turns.take(lambda: asyncio.sleep(0, 7)) == 7
    assert await turns.take(lambda: failing(away)) is None
    told = [
        message.removeprefix("a background loop failed; it goes on: ")
        for message in caplog.messages
    ]
    assert told == ["away", "full", "away", "away"]


@pytest.mark.anyio
async def test_a_loop_outlives_a_bug_and_not_its_own_end(caplog: pytest.LogCaptureFixture) -> None:
    async def is_told_to_end() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    async def swallows() -> None:
        try:
            await is_told_to_end()
        except asyncio.CancelledError:
            raise ZeroDivisionError from None

    turns = _Turns()
    assert await turns.take(lambda: failing(ZeroDivisionError())) is None
    assert "Traceback" in caplog.text
    for act in (is_told_to_end, swallows):
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(turns.take(act))
