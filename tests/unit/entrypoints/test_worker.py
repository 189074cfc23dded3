import asyncio
from pathlib import Path

import pytest

import docstore
from docstore.domain.lifecycle import FileStatus

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
