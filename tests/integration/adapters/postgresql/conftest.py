import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import make_url

from docstore.adapters.persistence.sql.postgresql.database import PostgresqlDatabase, connect
from integration.services.postgresql import Postgresql, postgresql


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server() -> Iterator[Postgresql]:
    """Shared: a test that stops it, or sets it up otherwise, starts one of its own."""
    with postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def template(server: Postgresql) -> str:
    """The name of an empty database with all tables: to copy it takes less than to migrate."""
    url = server.new_database()
    asyncio.run(_migrate(url))
    return make_url(url).database or ""


@pytest.fixture
def url(server: Postgresql, template: str) -> str:
    return server.new_database(template)


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresqlDatabase]:
    async with connect(url, durable=False) as database:
        yield database


async def _migrate(url: str) -> None:
    async with connect(url) as database:
        await database.migrate()
