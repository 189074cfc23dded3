"""The only place that turns the errors of SQLAlchemy and of the driver into docstore's."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, TimeoutError

from docstore.domain.errors import (
    AlreadyExists,
    Damaged,
    DocstoreError,
    NotFound,
    OutOfSpace,
    Unavailable,
)

_TAKEN = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}
_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}
"""What may be cured from outside. A broken CHECK is not: it is raised as it is, being a bug."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def sql_errors(subject: str, *, parent: str = "parent") -> Iterator[None]:
    """`subject` is what is read or written, `parent` what its foreign key names."""
    try:
        yield
    except TimeoutError as error:
        raise Unavailable("the database is busy: no connection became free in time") from error
    except (DBAPIError, sqlite3.Error) as error:
        if (ours := _translated(driver_error(error), subject, parent)) is None:
            raise
        raise ours from error


def driver_error(error: Exception) -> BaseException:
    """The driver's own error, which SQLAlchemy may have wrapped."""
    return (error.orig if isinstance(error, DBAPIError) else None) or error


def primary_code(error: BaseException) -> int:
    """SQLite's result code; the rest of an extended code says more than is needed."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)) & 0xFF


def _translated(error: BaseException, subject: str, parent: str) -> DocstoreError | None:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    primary = primary_code(error)
    if code in _TAKEN:
        return AlreadyExists(f"{subject} exists already")
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return NotFound(f"{parent} of", subject)
    if primary == sqlite3.SQLITE_FULL:
        return OutOfSpace("the database's disk is full")
    if primary in _DAMAGED:
        return Damaged(f"the database: {error}")
    return Unavailable(f"the database: {error}") if primary in _PASSING else None
