"""Supervision, tried on small shell scripts."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from docstore.entrypoints.serving import child, crew
from docstore.entrypoints.serving.child import Start
from docstore.entrypoints.serving.crew import ChildFailed, Crew, Role

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(20)]

STEADY = "trap 'exit 0' TERM; while :; do sleep 0.01; done"
STUBBORN = "trap '' TERM; echo up > $UP; while :; do sleep 0.01; done"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_PROGRAM", ("sh", "-c"))
    monkeypatch.setattr(crew, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(crew, "MARGIN", 0.0)


def role(script: str | Callable[[int], str], *, up: bool = True, **environment: str) -> Role:
    make = script if callable(script) else lambda _: script
    made = Role("script", lambda number: Start((make(number),), environment))
    if up:
        made.up.set()
    return made


async def there(path: Path) -> None:
    while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110 (another process makes it)
        await asyncio.sleep(0.005)


async def test_a_child_is_told_to_stop() -> None:
    men = Crew(10)
    men.keep(role(STEADY))
    assert await men.reach(asyncio.sleep(0.05))
    men.stop()
    await men.ended()


async def test_a_child_that_ends_is_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scripts = {1: "exit 7", 2: "kill -9 $$"}
    men = Crew(10)
    men.keep(role(lambda number: scripts.get(number, f"touch {tmp_path}/third; {STEADY}")))
    assert await men.reach(there(tmp_path / "third"))
    men.stop()
    await men.ended()
    assert [record.getMessage() for record in caplog.records] == [
        "the script ended with status 7; it starts again in 0.0 s",
        "the script was ended by SIGKILL; it starts again in 0.0 s",
    ]


async def test_pauses_grow_to_a_limit(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(crew, "LONGEST_PAUSE", 0.2)
    men = Crew(10)

    def script(number: int) -> str:
        if number == 4:
            men.stop()
        return "exit 1"

    men.keep(role(script))
    await men.ended()
    pauses = [record.getMessage().rsplit(" in ")[-1] for record in caplog.records]
    assert pauses == ["0.1 s", "0.2 s", "0.2 s"]


async def test_one_that_never_came_up_ends_all(tmp_path: Path) -> None:
    men = Crew(10)
    men.keep(role(f"trap 'touch {tmp_path}/drained; exit 0' TERM; {STEADY.partition(';')[2]}"))
    men.keep(role("sleep 0.1; exit 4", up=False))
    assert not await men.reach(there(tmp_path / "never"))
    with pytest.raises(ChildFailed, match="ended with status 4") as failed:
        await men.ended()
    assert failed.value.status == 4
    assert (tmp_path / "drained").exists()


async def test_one_that_is_killed_before_it_is_up_gets_another_try(tmp_path: Path) -> None:
    men = Crew(10)
    scripts = {1: "kill -9 $$"}
    men.keep(role(lambda n: scripts.get(n, f"touch {tmp_path}/up; {STEADY}"), up=False))
    assert await men.reach(there(tmp_path / "up"))
    men.stop()
    await men.ended()


@pytest.mark.parametrize("how", ["in time", "asked twice"])
async def test_one_that_does_not_stop_is_killed(tmp_path: Path, how: str) -> None:
    men = Crew(0.05 if how == "in time" else 60)
    men.keep(role(STUBBORN, UP=str(tmp_path / "up")))
    assert await men.reach(there(tmp_path / "up"))
    men.stop()
    if how == "asked twice":
        men.stop()
    await men.ended()


async def test_a_program_that_cannot_be_started_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(child, "_PROGRAM", ("/does/not/exist",))
    men = Crew(10)
    men.keep(role("", up=False))
    with pytest.raises(ChildFailed):
        await men.ended()


async def test_children_are_in_groups_of_their_own(tmp_path: Path) -> None:
    """Ctrl-C at the terminal is for the supervisor."""
    men = Crew(10)
    men.keep(
        role(f"ps -o pgid= -p $$ > {tmp_path}/part; mv {tmp_path}/part {tmp_path}/group; {STEADY}")
    )
    assert await men.reach(there(tmp_path / "group"))
    assert int((tmp_path / "group").read_text()) != os.getpgrp()
    men.stop()
    await men.ended()
