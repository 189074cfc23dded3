import pytest

from docstore.adapters.persistence.sql.postgresql.database import PostgresqlDatabase
from docstore.application.ports.unit_of_work import Begin
from docstore.testing import UnitOfWorkContract


class TestPostgresqlDatabase(UnitOfWorkContract):
    @pytest.fixture
    async def begin(self, database: PostgresqlDatabase) -> Begin:
        return database.begin
