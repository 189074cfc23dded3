"""SQLite's result codes (sqlite.org/rescode.html)."""

import sqlite3
from collections.abc import Mapping
from typing import Final

from docstore.adapters.persistence.sql.troubles import Trouble

_EXTENDED: Final[Mapping[int, Trouble]] = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: Trouble.TAKEN,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: Trouble.TAKEN,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: Trouble.NO_PARENT,
}
_PRIMARY: Final[Mapping[int, Trouble]] = {
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_CORRUPT: Trouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
    sqlite3.SQLITE_BUSY: Trouble.PASSING,
    sqlite3.SQLITE_CANTOPEN: Trouble.PASSING,
    sqlite3.SQLITE_IOERR: Trouble.PASSING,
    sqlite3.SQLITE_LOCKED: Trouble.PASSING,
    sqlite3.SQLITE_NOMEM: Trouble.PASSING,
    sqlite3.SQLITE_PROTOCOL: Trouble.PASSING,
    sqlite3.SQLITE_READONLY: Trouble.PASSING,
}


def trouble(error: BaseException) -> Trouble | None:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return _EXTENDED.get(code) or _PRIMARY.get(primary_code(error))


def primary_code(error: BaseException) -> int:
    """The rest of an extended code says more than is needed."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)) & 0xFF
