from dataclasses import replace
from datetime import timedelta

import pytest

from docstore.adapters.persistence.memory import MemoryDatabase, connect
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import NotFound, StaleVersion
from docstore.testing import UnitOfWorkContract, a_file, a_user
from docstore.testing.builders import MOMENT
from docstore.testing.unit_of_work.saving import save

LATER = MOMENT + timedelta(days=1)


class TestMemoryDatabase(UnitOfWorkContract):
    @pytest.fixture
    async def begin(self) -> Begin:
        return MemoryDatabase().begin


def test_no_part_of_the_contract_hides_the_test_of_another() -> None:
    parts = UnitOfWorkContract.__bases__
    names = [name for part in parts for name in vars(part) if name.startswith("test_")]
    assert len(names) == len(set(names))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_what_other_stores_would_not_write_is_refused() -> None:
    """Whose tests run on it learns of that before a file does."""
    database = MemoryDatabase()
    owner = a_user()
    await save(database.begin, owner)
    async with database.begin() as tx:
        with pytest.raises(AssertionError, match="created_at"):
            await tx.users.update(replace(owner, created_at=LATER, version=2))


@pytest.mark.anyio
async def test_its_time_is_the_clock_it_was_given() -> None:
    database = MemoryDatabase(now=lambda: MOMENT)
    async with database.begin() as tx:
        assert await tx.now() == MOMENT


@pytest.mark.anyio
async def test_a_conflict_found_at_the_commit_leaves_no_half() -> None:
    database = MemoryDatabase()
    owner, late = a_user(), a_user()
    await save(database.begin, owner)
    async with database.begin() as slow:
        await slow.users.add(late)
        await slow.users.update(owner.disable(MOMENT))
        async with database.begin() as fast:
            await fast.users.update(owner.rehashed("x"))
            await fast.commit()
        with pytest.raises(StaleVersion):
            await slow.commit()
    async with database.begin() as tx:
        assert await tx.users.all() == [owner.rehashed("x")]


@pytest.mark.anyio
async def test_a_transaction_sees_the_rows_as_they_were_when_it_began() -> None:
    database = MemoryDatabase()
    owner = a_user()
    await save(database.begin, owner)
    async with database.begin(read_only=True) as reader:
        await save(database.begin, a_file(user_id=owner.id))
        async with database.begin() as writer:
            await writer.users.delete(owner.id)
            await writer.commit()
        assert await reader.users.get(owner.id) == owner
        assert await reader.files.after(None, limit=9) == []
    async with database.begin() as tx:
        with pytest.raises(NotFound):
            await tx.users.get(owner.id)


@pytest.mark.anyio
async def test_each_connection_is_a_database_of_its_own() -> None:
    one, other = connect("memory://"), connect("memory://", durable=False)
    await save(one.begin, a_user(created_at=MOMENT - timedelta(days=1)))
    async with other.begin() as tx:
        assert await tx.users.all() == []
    await other.migrate()
    await other.ping()
