"""Priorities of the worker: worth something, but never the worker."""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import get_native_id
from typing import Any

import pytest

from docstore.entrypoints.serving import worker_process

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="a niceness for each thread is Linux's"),
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What the system is asked for, and not told: it would last for all tests."""
    given: list[tuple[str, int]] = []
    monkeypatch.setattr(os, "nice", lambda by: given.append(("all", by)))

    def set_priority(which: int, who: int, niceness: int) -> None:
        assert (which, who) == (os.PRIO_PROCESS, get_native_id())
        given.append(("loop", niceness))

    monkeypatch.setattr(os, "setpriority", set_priority)
    return given


async def test_the_loop_comes_last(given: list[tuple[str, int]]) -> None:
    worker_process._give_way()
    assert given == [("all", worker_process.NICENESS), ("loop", worker_process.LAST)]
    assert await asyncio.to_thread(lambda: 1) == 1


async def test_where_there_is_no_room_for_threads_it_works_all_the_same(
    given: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = ThreadPoolExecutor.submit
    left = 2

    def few(self: ThreadPoolExecutor, call: Callable[..., Any]) -> Future[Any]:
        nonlocal left
        left -= 1
        if left < 0:
            raise RuntimeError("can't start new thread")
        return submit(self, call)

    with monkeypatch.context() as patch:
        patch.setattr(ThreadPoolExecutor, "submit", few)
        worker_process._give_way()
    assert given == [("all", worker_process.NICENESS)]
    assert await asyncio.to_thread(lambda: 1) == 1
