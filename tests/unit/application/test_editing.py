from dataclasses import dataclass, field
from typing import Any

import pytest

from docstore.adapters.persistence.memory import MemoryDatabase, MemoryUnitOfWork
from docstore.application.again import TRIES
from docstore.application.editing import Edit
from docstore.domain.errors import NotFound, PreconditionFailed, Unavailable
from docstore.domain.file import File
from docstore.domain.lifecycle import FileStatus
from docstore.domain.user import User
from docstore.testing import a_file, a_user
from docstore.testing.builders import MOMENT
from docstore.testing.unit_of_work.saving import save

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Busy:
    """A database in which somebody else commits a change of the file just before we do."""

    database: MemoryDatabase
    others: int  # how often
    file: File
    seen: list[File] = field(default_factory=list)

    def begin(self, *, read_only: bool = False, add_only: bool = False) -> MemoryUnitOfWork:
        busy = self

        class Overtaken(MemoryUnitOfWork):
            async def commit(self) -> None:
                if busy.others:
                    busy.others -= 1
                    await busy.change()
                await super().commit()

        return Overtaken(self.database, read_only=read_only, add_only=add_only)

    async def change(self) -> None:
        async with self.database.begin() as tx:
            file = await tx.files.get(self.file.id)
            if file.status is FileStatus.UPLOADED:
                changed = file.start(MOMENT)
            else:
                changed = file.regenerated(now=MOMENT)
            await tx.files.update(changed)
            await tx.commit()


@pytest.fixture
async def owner() -> User:
    return a_user()


async def busy(owner: User, others: int) -> Busy:
    database, file = MemoryDatabase(), a_file(user_id=owner.id)
    await save(database.begin, owner, file)
    return Busy(database, others, file)


async def test_an_edit_is_made_to_the_file_as_it_is_then(owner: User) -> None:
    world = await busy(owner, others=3)
    edited = await Edit(world.begin)(owner=owner.id, id=world.file.id, changes={"title": "new"})
    assert (edited.details.title, edited.status) == ("new", FileStatus.PROCESSING)
    assert edited.version == world.file.version + 4
    async with world.database.begin(read_only=True) as tx:
        assert await tx.files.get(edited.id) == edited


async def test_who_names_a_version_is_told_when_it_is_overtaken(owner: User) -> None:
    world = await busy(owner, others=1)
    with pytest.raises(PreconditionFailed):
        await Edit(world.begin)(
            owner=owner.id, id=world.file.id, changes={"title": "new"}, versions=[1]
        )
    async with world.database.begin(read_only=True) as tx:
        assert (await tx.files.get(world.file.id)).details.title is None


async def test_it_is_given_up_some_time(owner: User) -> None:
    world = await busy(owner, others=TRIES)
    with pytest.raises(Unavailable):
        await Edit(world.begin)(owner=owner.id, id=world.file.id, changes={"title": "new"})


@pytest.mark.parametrize("versions", [None, [1], [2]])
async def test_anothers_file_is_not_found_whatever_version(owner: User, versions: Any) -> None:
    world = await busy(owner, others=0)
    with pytest.raises(NotFound):
        await Edit(world.begin)(owner=a_user().id, id=world.file.id, changes={}, versions=versions)
