from collections.abc import AsyncIterator, Iterator

import pytest

from docstore.adapters.persistence.sql.postgresql.database import PostgresqlDatabase, connect
from docstore.application.ports.unit_of_work import Begin
from docstore.testing import UnitOfWorkContract
from integration.services.postgresql import Postgresql, postgresql


@pytest.fixture(scope="module")
def server() -> Iterator[Postgresql]:
    with postgresql() as server:
        yield server


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def database(server: Postgresql) -> AsyncIterator[PostgresqlDatabase]:
    async with connect(server.new_database(), durable=False) as database:
        await database.migrate()
        yield database


class TestPostgresqlDatabase(UnitOfWorkContract):
    @pytest.fixture
    async def begin(self, database: PostgresqlDatabase) -> Begin:
        return database.begin
