from contextlib import AsyncExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.files import SqlFiles
from docstore.adapters.persistence.sql.jobs import SqlJobs
from docstore.adapters.persistence.sql.upkeep import SqlUpkeep
from docstore.adapters.persistence.sql.users import SqlUsers


class SqlUnitOfWork:
    """One transaction on one connection of `engine`, which says how transactions begin."""

    files: SqlFiles
    jobs: SqlJobs
    users: SqlUsers
    upkeep: SqlUpkeep

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def now(self) -> datetime:
        # SQLite runs in this process, so its clock is this one, and finer than `strftime`.
        return datetime.now(UTC)

    async def commit(self) -> None:
        with sql_errors("commit"):
            await self._db.commit()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            with sql_errors("begin"):
                db = await stack.enter_async_context(self._engine.connect())
                await db.begin()
            self._leave = stack.pop_all()
        self._use(db)
        return self

    def _use(self, db: AsyncConnection) -> None:
        self._db = db
        self.files = SqlFiles(db)
        self.jobs = SqlJobs(db)
        self.users = SqlUsers(db)
        self.upkeep = SqlUpkeep(db)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        # Closing rolls back what was not committed; SQLAlchemy shields it from a cancellation.
        with sql_errors("rollback"):
            await self._leave.aclose()
