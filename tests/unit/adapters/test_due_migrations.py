from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from docstore.adapters.persistence.sql import aiosqlite, migrating
from docstore.adapters.persistence.sql.inline import database as inline
from docstore.domain.errors import NewerData

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize(
    ("connect", "scheme"),
    [(inline.connect, "sqlite"), (aiosqlite.connect, "sqlite+aiosqlite")],
)
async def test_what_is_due_is_what_migrate_brings(
    tmp_path: Path, connect: Callable[[str], Any], scheme: str
) -> None:
    url = f"{scheme}:///{tmp_path}/new.db"
    async with connect(url) as database:
        every = await database.due_migrations()
        assert every == sorted(every)
        assert await migrating.current(make_url(url)) is None
        await database.migrate()
        assert await database.due_migrations() == []
        await migrating.downgrade(make_url(url), every[-3])
        assert await database.due_migrations() == every[-2:]
        assert await migrating.current(make_url(url)) == every[-3]


async def test_a_newer_database_has_none(tmp_path: Path) -> None:
    url = make_url(f"sqlite:///{tmp_path}/new.db")
    await migrating.upgrade(url)

    def be_newer(db: Any) -> None:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    migrating._within(url, be_newer)
    with pytest.raises(NewerData):
        await migrating.due(url)
