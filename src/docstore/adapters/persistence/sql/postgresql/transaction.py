import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CursorResult, Executable, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from docstore.adapters.persistence.sql.postgresql.answers import answering
from docstore.adapters.persistence.sql.tables import UtcDateTime
from docstore.domain.errors import Unavailable

# Not `now()`, which is when the transaction began.
_NOW: Final = select(func.clock_timestamp(type_=UtcDateTime))


class PostgresqlTransaction:
    """One transaction on one connection of `engine`, which says of what kind it is."""

    def __init__(self, engine: AsyncEngine, *, wait: float) -> None:
        self._engine = engine
        self._wait = wait
        self._failed = False
        self.is_sent = False

    async def begin(self) -> None:
        """PostgreSQL itself hears of it with the first statement."""
        async with AsyncExitStack() as stack:
            with answering():
                # Together: for a place in the pool, for the server's answer to whether an old
                # connection will do, and for a new one.
                async with asyncio.timeout(self._wait):
                    self._db: AsyncConnection = await stack.enter_async_context(
                        self._engine.connect()
                    )
            self._leave = stack.pop_all()

    async def fetch(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> Sequence[Row[Any]]:
        return (await self._execute(statement, values)).all()

    async def change(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        return (await self._execute(statement, values)).rowcount

    async def now(self) -> datetime:
        found: datetime = (await self._execute(_NOW, {})).scalar_one()
        return found

    async def commit(self) -> None:
        if self._failed:  # PostgreSQL would roll back, and say nothing of it
            raise Unavailable("a statement has failed, so nothing of its transaction can be saved")
        self.is_sent = True
        with answering():
            await self._db.commit()

    async def _execute(self, statement: Executable, values: Mapping[str, Any]) -> CursorResult[Any]:
        try:
            with answering():
                return await self._db.execute(statement, values)
        except BaseException:
            self._failed = True
            raise

    async def end(self) -> None:
        # Closing rolls back what was not committed; SQLAlchemy shields it from a cancellation.
        with answering():
            await self._leave.aclose()
