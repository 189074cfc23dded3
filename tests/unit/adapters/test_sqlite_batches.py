"""Transactions that only add: a batch is one stretch of the loop, yet each is on its own."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from docstore.adapters.persistence.sql.inline import batches
from docstore.adapters.persistence.sql.inline.database import SqliteDatabase, connect
from docstore.domain.errors import AlreadyExists, OutOfSpace, Unavailable
from docstore.domain.user import User
from docstore.testing import a_user
from docstore.testing.builders import MOMENT
from docstore.testing.unit_of_work.saving import save_in
from unit.adapters.sqlite_outside import Sick, emails, locked, stored

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture(params=[True, False], ids=["durable", "relaxed"])
async def database(request: pytest.FixtureRequest, path: Path) -> AsyncIterator[SqliteDatabase]:
    async with connect(f"sqlite:///{path}", durable=request.param) as database:
        await database.migrate()
        yield database


@pytest.fixture
async def said(database: SqliteDatabase) -> list[str]:
    """What the writer's connection is told about transactions."""
    said: list[str] = []
    words = ("BEGIN", "COMMIT", "ROLLBACK")
    raw = database._writer._raw
    raw.set_trace_callback(lambda told: said.append(told) if told.startswith(words) else None)
    return said


async def add(database: SqliteDatabase, *users: User) -> None:
    await save_in(database.begin(add_only=True), *users)


def adding(database: SqliteDatabase, *users: User) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(add(database, user)) for user in users]


async def settled(*work: asyncio.Task[None]) -> Sequence[type[BaseException | None]]:
    return [type(end) for end in await asyncio.gather(*work, return_exceptions=True)]


async def turns(number: int) -> None:
    """Of the loop, in which nothing waits for anything else."""
    for _ in range(number):
        await asyncio.sleep(0)


NOTHING = type(None)


async def test_all_who_wait_share_one_commit(
    database: SqliteDatabase, path: Path, said: list[str]
) -> None:
    users = [a_user() for _ in range(20)]
    await asyncio.gather(*adding(database, *users))
    assert said == ["BEGIN IMMEDIATE", "COMMIT"]
    assert stored(path) == emails(*users)


async def test_but_not_too_many(
    database: SqliteDatabase, path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 8)
    users = [a_user() for _ in range(20)]
    await asyncio.gather(*adding(database, *users))
    assert said.count("COMMIT") == 3
    assert stored(path) == emails(*users)


async def test_one_with_many_rows_is_not_divided(
    database: SqliteDatabase, path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 3)
    users = [a_user() for _ in range(9)]
    large, *small = asyncio.create_task(add(database, *users[:7])), *adding(database, *users[7:])
    await asyncio.gather(large, *small)
    assert said.count("COMMIT") == 2
    assert stored(path) == emails(*users)


async def test_the_file_is_not_locked_from_one_turn_of_the_loop_to_the_next(path: Path) -> None:
    async with connect(f"sqlite:///{path}", durable=False) as database:
        await database.migrate()
        loop, raw = asyncio.get_running_loop(), database._writer._raw
        locked: list[bool] = []
        is_over = False

        def look() -> None:
            if not is_over:
                locked.append(raw.in_transaction)
                loop.call_soon(look)

        look()
        for _ in range(5):
            await asyncio.gather(*adding(database, *(a_user() for _ in range(5))))
        is_over = True
        assert len(locked) > 10
        assert not any(locked)


async def test_an_error_of_one_is_its_own(
    database: SqliteDatabase, path: Path, said: list[str]
) -> None:
    first, second, third = (a_user() for _ in range(3))
    double = a_user(email=first.email)
    ended = await settled(*adding(database, first, double, second, third))
    assert ended == [NOTHING, AlreadyExists, NOTHING, NOTHING]
    assert stored(path) == emails(first, second, third)
    assert said.count("COMMIT") == 1


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"email": "\udfff@example.org"}, UnicodeEncodeError),
        ({"token_version": 2**70}, OverflowError),
        ({"created_at": MOMENT.replace(tzinfo=None)}, ValueError),
    ],
)
async def test_what_the_driver_cannot_take_is_its_own_error_too(
    database: SqliteDatabase, path: Path, wrong: dict[str, Any], error: type[Exception]
) -> None:
    first, second = a_user(), a_user()
    bad = object.__new__(User)
    for name in User.__slots__:
        object.__setattr__(bad, name, wrong.get(name, getattr(a_user(), name)))
    assert await settled(*adding(database, first, bad, second)) == [NOTHING, error, NOTHING]
    assert stored(path) == emails(first, second)


async def test_an_error_says_in_which_table(database: SqliteDatabase) -> None:
    user = a_user()
    await add(database, user)
    with pytest.raises(AlreadyExists, match="a row of users exists already"):
        await add(database, user)


async def test_all_that_one_added_is_undone(database: SqliteDatabase, path: Path) -> None:
    kept = a_user()
    wrong = asyncio.create_task(add(database, a_user(), a_user(email=kept.email)))
    ended = await settled(*adding(database, kept), wrong)
    assert ended == [AlreadyExists, NOTHING] or ended == [NOTHING, AlreadyExists]
    assert len(stored(path)) == (1 if ended[0] is NOTHING else 2)


async def test_who_is_cancelled_before_the_turn_is_left_out(
    database: SqliteDatabase, path: Path
) -> None:
    gone, kept = a_user(), a_user()
    with locked(path):
        work = adding(database, gone, kept)
        await asyncio.sleep(0.005)
        work[0].cancel()
        await asyncio.sleep(0)
    assert await settled(*work) == [asyncio.CancelledError, NOTHING]
    assert stored(path) == emails(kept)


async def test_the_loop_goes_on_while_a_lock_is_waited_for(
    database: SqliteDatabase, path: Path
) -> None:
    with locked(path):
        work = adding(database, a_user())
        for _ in range(5):
            await asyncio.sleep(0.001)
        late = adding(database, a_user())
        await asyncio.sleep(0.001)
        assert not any(task.done() for task in (*work, *late))
    await asyncio.gather(*work, *late)
    assert len(stored(path)) == 2


async def test_a_lock_that_does_not_go_is_told_to_all(
    database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docstore.adapters.persistence.sql.sqlite.WAIT", 0.02)
    with locked(path):
        monkeypatch.setattr(batches, "AT_ONCE", 2)
        assert await settled(*adding(database, *(a_user() for _ in range(5)))) == [Unavailable] * 5
    user = a_user()
    await add(database, user)
    assert stored(path) == emails(user)


async def test_who_came_late_to_a_lock_still_has_time(
    database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docstore.adapters.persistence.sql.sqlite.WAIT", 0.05)
    late = a_user()
    with locked(path):
        first, second = adding(database, a_user(), late)
        await turns(5)
        database._batches._waiting[1].until += 3600
        assert await settled(first) == [Unavailable]
        assert not second.done()
    assert await settled(second) == [NOTHING]
    assert stored(path) == emails(late)


async def test_the_loop_has_a_turn_between_two_batches(
    database: SqliteDatabase, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 1)
    work = adding(database, *(a_user() for _ in range(4)))
    commits: list[int] = []
    while not all(task.done() for task in work):
        await asyncio.sleep(0)
        commits.append(said.count("COMMIT"))
    steps = [after - before for before, after in pairwise(commits)]
    assert max(steps) == 1


async def test_a_commit_is_told_before_the_log_is_put_in_its_place(
    database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_done = asyncio.Event()
    monkeypatch.setattr(database._writer, "_checkpoint", is_done.wait)
    user = a_user()
    try:
        async with asyncio.timeout(30):
            await add(database, user)
        assert stored(path) == emails(user)
    finally:
        is_done.set()


async def test_a_transaction_is_committed_once(database: SqliteDatabase, path: Path) -> None:
    user = a_user()
    async with database.begin(add_only=True) as tx:
        await tx.users.add(user)
        await tx.commit()
        with pytest.raises(Unavailable):
            await tx.commit()
        assert tx.may_be_saved
    assert stored(path) == emails(user)


async def test_who_left_before_the_database_had_it_saved_nothing(
    database: SqliteDatabase, path: Path
) -> None:
    unit = database.begin(add_only=True)
    with locked(path):
        work = asyncio.create_task(save_in(unit, a_user()))
        await turns(5)
        work.cancel()
        assert await settled(work) == [asyncio.CancelledError]
    assert not unit.may_be_saved
    await add(database)
    assert stored(path) == []


async def test_nor_did_who_waited_too_long(
    database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docstore.adapters.persistence.sql.sqlite.WAIT", 0.02)
    for unit in (database.begin(add_only=True), database.begin()):
        with locked(path), pytest.raises(Unavailable):
            await save_in(unit, a_user())
        assert not unit.may_be_saved
    assert stored(path) == []


@pytest.mark.parametrize("add_only", [True, False])
async def test_who_leaves_during_the_commit_may_have_saved_it(path: Path, add_only: bool) -> None:
    async with connect(f"sqlite:///{path}") as database:
        await database.migrate()
        user, unit = a_user(), database.begin(add_only=add_only)
        slow = Slow(database._writer._raw)
        database._writer._raw = cast(sqlite3.Connection, slow)
        work = asyncio.create_task(save_in(unit, user))
        assert await asyncio.to_thread(slow.is_there.wait, 30)
        work.cancel()
        await turns(5)
        assert unit.may_be_saved
        slow.goes_on.set()
        assert await settled(work) == [asyncio.CancelledError]
        assert unit.may_be_saved
    assert stored(path) == emails(user)


@pytest.mark.parametrize("add_only", [True, False])
async def test_of_a_commit_that_failed_nobody_knows(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch, add_only: bool
) -> None:
    monkeypatch.setattr(database._writer, "_raw", Sick(database._writer._raw, "COMMIT"))
    unit = database.begin(add_only=add_only)
    with pytest.raises(Unavailable):
        await save_in(unit, a_user())
    assert unit.may_be_saved


async def test_where_there_is_no_room_for_threads_the_database_does_not_open(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name.startswith("sqlite"):
            raise RuntimeError("can't start new thread")
        start(thread)

    database = connect(f"sqlite:///{path}")
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refused)
        with pytest.raises(Unavailable, match="threads"):
            await database.__aenter__()


class Slow:
    """A connection whose COMMIT takes until it is told to go on."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw
        self.is_there = threading.Event()
        self.goes_on = threading.Event()

    def execute(self, statement: str) -> sqlite3.Cursor:
        if statement == "COMMIT":
            self.is_there.set()
            assert self.goes_on.wait(30)
        return self._raw.execute(statement)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


async def test_nobody_is_left_waiting_when_not_even_the_savepoint_is_undone(
    database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    sick = Sick(database._writer._raw, "RELEASE one", "ROLLBACK TO one", times=1)
    monkeypatch.setattr(database._writer, "_raw", sick)
    users = [a_user() for _ in range(6)]
    async with asyncio.timeout(30):
        ended = await settled(*adding(database, *users))
    assert ended == [Unavailable] * 2 + [NOTHING] * 4
    assert stored(path) == emails(*users[2:])


async def test_a_commit_that_fails_fails_for_all(
    database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database._writer, "_raw", Sick(database._writer._raw, "COMMIT"))
    assert await settled(*adding(database, *(a_user() for _ in range(3)))) == [Unavailable] * 3
    monkeypatch.undo()
    assert stored(path) == []
    user = a_user()
    await add(database, user)
    assert stored(path) == emails(user)


async def test_a_full_disk_is_told_to_all_of_the_batch(
    database: SqliteDatabase, path: Path
) -> None:
    raw = database._writer._raw
    (pages,) = raw.execute("PRAGMA page_count").fetchone()
    raw.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    big = [a_user(password_hash="x" * 9000) for _ in range(3)]
    assert OutOfSpace in await settled(*adding(database, *big))
    raw.execute("PRAGMA max_page_count = 1000000").fetchall()
    before = stored(path)
    await add(database, *(a_user(password_hash="x" * 9000) for _ in range(3)))
    assert len(stored(path)) == len(before) + 3


async def test_closing_waits_for_them(path: Path) -> None:
    user = a_user()
    async with connect(f"sqlite:///{path}") as database:
        await database.migrate()
        (work,) = adding(database, user)
        await asyncio.sleep(0)
    await work
    assert stored(path) == emails(user)
