from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable, Row

from docstore.adapters.persistence.sql.inline.prepared import prepared
from docstore.adapters.persistence.sql.sqlite import driver


class Statements:
    """Runs statements on one connection: prepared ones on the driver itself, others as usual."""

    def __init__(self, db: Connection) -> None:
        self.db = db
        self.driver = driver(db)

    def fetch(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """All rows of the result."""
        found = prepared(statement, frozenset(values), self.db.dialect)
        if found is None:
            return self.db.execute(statement, values).all()
        return found.fetch(self.driver, values)

    def change(self, statement: Executable, values: Mapping[str, Any]) -> int:
        """How many rows it changed."""
        found = prepared(statement, frozenset(values), self.db.dialect)
        if found is None:
            return self.db.execute(statement, values).rowcount
        return found.change(self.driver, values)
