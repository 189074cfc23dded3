"""A put that is cancelled, and cancelled again while its parts are on their way."""

import asyncio
import threading
from typing import cast

import pytest

from docstore.adapters.storage.s3.calls import ObjectCalls, SentPart
from docstore.adapters.storage.s3.parts import Room
from docstore.adapters.storage.s3.uploading import Means, Uploading
from docstore.adapters.storage.threads import Threads

pytestmark = pytest.mark.anyio

PART = b"x" * 10


class Calls:
    """A server that answers no part before it is told to."""

    key = "files/a"

    def __init__(self) -> None:
        self.asked, self.answers = threading.Event(), threading.Event()
        self.aborted: list[str] = []

    def create(self) -> str:
        return "upload"

    def put_part(self, upload_id: str, number: int, pieces: object) -> SentPart:
        self.asked.set()
        assert self.answers.wait(30)
        return SentPart(number, "etag")

    def abort(self, upload_id: str) -> None:
        self.aborted.append(upload_id)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def means() -> Means:
    return Means(Threads(1, "calls"), Threads(2, "senders"), Room(100), len(PART))


async def test_it_is_aborted_all_the_same(means: Means) -> None:
    calls = Calls()

    async def put() -> None:
        async with Uploading(cast(ObjectCalls, calls), means) as upload:
            for _ in range(3):  # two are on their way
                await upload.add(PART)
            await asyncio.Event().wait()

    putting = asyncio.create_task(put())
    await asyncio.to_thread(calls.asked.wait, 30)
    for _ in range(10):
        putting.cancel()
        await asyncio.sleep(0)
    assert not putting.done()
    calls.answers.set()
    while not putting.done():
        putting.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert calls.aborted == ["upload"]
