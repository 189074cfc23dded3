import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Executable, Row
from sqlalchemy.exc import OperationalError

from docstore.adapters.persistence.sql.unit_of_work import SqlUnitOfWork
from docstore.domain.errors import Unavailable
from docstore.testing.builders import MOMENT

pytestmark = pytest.mark.anyio


class Broken:
    """A transaction whose connection is lost before it ends."""

    is_sent = False

    async def begin(self) -> None: ...

    async def fetch(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> Sequence[Row[Any]]:
        return ()

    async def change(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        return 0

    async def now(self) -> datetime:
        return MOMENT

    async def commit(self) -> None: ...

    async def end(self) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise OperationalError("ROLLBACK", None, error)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_lost_connection_is_told() -> None:
    with pytest.raises(Unavailable):
        async with SqlUnitOfWork(Broken()):
            pass


async def test_it_hides_nothing_that_went_wrong_before() -> None:
    with pytest.raises(KeyError):
        async with SqlUnitOfWork(Broken()):
            raise KeyError
