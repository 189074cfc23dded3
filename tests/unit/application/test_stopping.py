"""A worker that is told to stop, again and again, while the database takes its time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

import pytest

from docstore.application.ports.processor import Findings
from docstore.application.ports.unit_of_work import Begin, UnitOfWork
from docstore.domain.lifecycle import JobStatus
from unit.application.steps import open_office

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_job_is_given_back_before_the_attempt_ends() -> None:
    office = await open_office()
    inside, asked, answer = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def goes_on() -> None:
        inside.set()
        await asyncio.Event().wait()

    @asynccontextmanager
    async def begin(
        *, read_only: bool = False, add_only: bool = False
    ) -> AsyncIterator[UnitOfWork]:
        async with office.database.begin(read_only=read_only, add_only=add_only) as tx:
            if inside.is_set():
                asked.set()
                await answer.wait()
            yield tx

    office.script.has("text", Findings())
    office.script.meanwhile = goes_on
    file_id = await office.upload()
    work = replace(office.docstore.background.work, begin=cast(Begin, begin))
    attempt = asyncio.create_task(work((await office.job(file_id)).id))
    await inside.wait()
    attempt.cancel()
    await asked.wait()
    for _ in range(3):
        attempt.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not attempt.done()
    answer.set()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    job = await office.job(file_id)
    assert (job.status, job.attempts) == (JobStatus.QUEUED, 0)
