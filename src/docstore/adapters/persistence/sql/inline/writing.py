from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, Row

from docstore.adapters.persistence.sql import sqlite
from docstore.adapters.persistence.sql.inline.writer import Writer


class WriteTransaction:
    """A turn of the writer's."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.is_sent = False

    async def begin(self) -> None:
        await self._writer.enter(self)

    async def fetch(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> Sequence[Row[Any]]:
        fetch = self._writer.statements.fetch
        return await self._writer.run(self, lambda: fetch(statement, values), long=long)

    async def change(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        change = self._writer.statements.change
        return await self._writer.run(self, lambda: change(statement, values), long=long)

    async def now(self) -> datetime:
        return sqlite.now()

    async def commit(self) -> None:
        self.is_sent = True
        error = await self._writer.commit(self)
        if error is not None:
            raise error.with_traceback(None)

    async def end(self) -> None:
        self._writer.leave(self)
