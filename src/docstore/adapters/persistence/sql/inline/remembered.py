from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Executable, Row

from docstore.adapters.persistence.sql.inline.statements import Statements
from docstore.adapters.persistence.sql.users import SqlUsers

KEPT: Final = 1024  # rows

_OF_EVERY_REQUEST: Final = SqlUsers.statements.by_id


class Remembered:
    """Statements on a connection that only reads. It keeps the users that it has read for as long
    as nobody has committed anything: every request asks who is signed in.
    """

    def __init__(self, statements: Statements) -> None:
        self.db = statements.db
        self.driver = statements.driver
        self.change = statements.change
        self._fetch = statements.fetch
        self._version: int | None = None
        self._users: dict[Any, Sequence[Row[Any]]] = {}

    def fetch(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """All rows of the result."""
        if statement is not _OF_EVERY_REQUEST:
            return self._fetch(statement, values)
        self._forget_what_may_have_changed()
        key = values["row_id"]
        found = self._users.get(key)
        if found is None:
            found = self._users[key] = self._fetch(statement, values)
        return found

    def _forget_what_may_have_changed(self) -> None:
        """SQLite counts the commits of all other connections, in whatever process. Looking at that
        number begins the transaction's view of the file, so what follows belongs to it.
        """
        ((version,),) = self.driver.execute("PRAGMA data_version")
        if version != self._version or len(self._users) >= KEPT:
            self._users.clear()
            self._version = version
