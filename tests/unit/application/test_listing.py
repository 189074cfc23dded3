"""Walks through listings while files come and go, and pages."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from docstore.adapters.persistence.memory import MemoryDatabase
from docstore.adapters.persistence.sql.inline.database import connect
from docstore.application.cursors import Cursors
from docstore.application.listing import COUNTED, List, ListJobs, Stretch
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import InvalidField
from docstore.domain.file import File
from docstore.domain.listing import FileQuery, Sort
from docstore.domain.names import FileName
from docstore.domain.user import User
from docstore.testing import a_file, a_user
from docstore.testing.builders import MOMENT
from docstore.testing.unit_of_work.saving import save

pytestmark = pytest.mark.anyio

CURSORS = Cursors(b"k" * 32)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["memory", "sqlite"])
async def begin(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Begin]:
    if request.param == "memory":
        yield MemoryDatabase().begin
        return
    async with connect(f"sqlite:///{tmp_path}/x.db", durable=False) as database:
        await database.migrate()
        yield database.begin


@pytest.fixture
async def owner(begin: Begin) -> User:
    user = a_user()
    await save(begin, user)
    return user


class Shelf:
    """Files that differ little, so that places are close, and come in no order of theirs."""

    def __init__(self, owner: User) -> None:
        self._owner = owner
        self.chance = random.Random(8)

    def file(self) -> File:
        pick = self.chance.randrange
        return a_file(
            user_id=self._owner.id,
            original_filename=FileName(f"{pick(20)}.txt"),
            size=pick(20),
            uploaded_at=MOMENT + timedelta(seconds=pick(20)),
        )


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.OLDEST, Sort.BY_NAME, Sort.LARGEST])
async def test_a_walk_during_a_thousand_inserts_and_deletes(
    begin: Begin, owner: User, sort: Sort
) -> None:
    shelf = Shelf(owner)
    stable = [shelf.file() for _ in range(200)]
    passing = [shelf.file() for _ in range(500)]
    await save(begin, *stable, *passing)
    shelf.chance.shuffle(passing)
    files, query = List(begin, CURSORS), FileQuery(sort=sort, filename="txt")
    walked: list[File] = []
    cursor: str | None = None
    while True:
        found = await files(
            owner=owner.id, query=query, wanted=Stretch(page_size=10, cursor=cursor)
        )
        walked += found.items
        if (cursor := found.next_cursor) is None:
            break
        async with begin() as tx:  # the last one shown among those that go
            gone = [f for f in found.items[-1:] if f in passing]
            for file in [*gone, *passing[:12]]:
                if file in passing:
                    passing.remove(file)
                    await tx.files.delete(file.id)
            for _ in range(12):
                await tx.files.add(shelf.file())
            await tx.commit()
    assert len(passing) < 100
    ids = [file.id for file in walked]
    assert len(ids) == len(set(ids))
    assert {file.id for file in stable} <= set(ids)
    places = [(query.place_of(file).value, file.id) for file in walked]
    assert places == sorted(places, reverse=sort.is_descending)


async def test_what_fits_on_a_page_is_not_counted(begin: Begin, owner: User) -> None:
    await save(begin, *(a_file(user_id=owner.id) for _ in range(5)))
    files = List(begin, CURSORS)
    for size, page, total in ((5, 1, 5), (9, 1, 5), (3, 2, 5), (2, 1, 5), (2, 9, 5)):
        wanted = Stretch(page=page, page_size=size)
        assert (await files(owner=owner.id, wanted=wanted)).total == total
    assert (await files(owner=a_user().id)).total == 0
    assert (await ListJobs(begin, CURSORS)(owner=owner.id)).total == 0


async def test_a_cursor_is_there_as_long_as_something_follows(begin: Begin, owner: User) -> None:
    await save(begin, *(a_file(user_id=owner.id) for _ in range(4)))
    files = List(begin, CURSORS)
    for page, follows in ((1, True), (2, False), (3, False)):
        found = await files(owner=owner.id, wanted=Stretch(page=page, page_size=2))
        assert (found.next_cursor is not None) == follows


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"page": 0}, "page"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 101}, "page_size"),
        ({"page": 1, "cursor": "x"}, "cursor"),
    ],
)
def test_what_cannot_be_wanted(wanted: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        Stretch(**wanted)  # type: ignore[arg-type]
    assert refused.value.problems[0][0] == field


def test_it_is_counted_to_what_the_contract_says() -> None:
    assert COUNTED == 10_000
