from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Executable, Row


class Transaction(Protocol):
    """What the repositories need of a connection. Each adapter to a driver brings its own.

    `long` says of a statement that it may take more than a moment, however small its result is;
    an adapter that runs statements on the event loop itself sends such a one to a thread.
    """

    @property
    def is_sent(self) -> bool:
        """Whether the database may have got a `commit`."""
        ...

    async def begin(self) -> None: ...

    async def fetch(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> Sequence[Row[Any]]:
        """All rows of the result."""
        ...

    async def change(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        """How many rows the statement changed, cascades and triggers not counted."""
        ...

    async def now(self) -> datetime:
        """The database's time. Aware, UTC."""
        ...

    async def commit(self) -> None: ...

    async def end(self) -> None:
        """Roll back what was not committed, and give back what was taken."""
        ...
