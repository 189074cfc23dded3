import asyncio
from contextlib import closing

import pytest

from docstore.entrypoints.serving import bell

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_it_is_heard_at_the_other_end() -> None:
    ours, theirs = bell.pair()
    with closing(ours), closing(theirs):
        heard, answered = asyncio.Event(), asyncio.Event()
        with bell.listening(theirs, heard.set), bell.listening(ours, answered.set):
            bell.ringer(ours)()
            await asyncio.wait_for(heard.wait(), 5)
            assert not answered.is_set()
            bell.ringer(theirs)()
            await asyncio.wait_for(answered.wait(), 5)


async def test_ringing_never_waits() -> None:
    ours, theirs = bell.pair()
    with closing(ours), closing(theirs):
        ring = bell.ringer(ours)
        for _ in range(20_000):
            ring()
            await asyncio.sleep(0)


async def test_one_turn_of_the_loop_rings_once() -> None:
    ours, theirs = bell.pair()
    with closing(ours), closing(theirs):
        ring = bell.ringer(ours)
        for _ in range(2):
            for _ in range(9):
                ring()
            await asyncio.sleep(0)
        assert len(theirs.recv(99)) == 2


async def test_ringing_for_nobody_is_no_error() -> None:
    ours, theirs = bell.pair()
    theirs.close()
    with closing(ours):
        bell.ringer(ours)()
        await asyncio.sleep(0)


async def test_an_end_that_is_closed_is_left_alone() -> None:
    ours, theirs = bell.pair()
    heard = asyncio.Event()
    with closing(theirs), bell.listening(theirs, heard.set):
        ours.close()
        await asyncio.sleep(0.01)
        assert not heard.is_set()
