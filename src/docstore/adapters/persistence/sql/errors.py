"""The only place that turns the errors of SQLAlchemy and of the drivers into docstore's."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, TimeoutError

from docstore.adapters.persistence.sql import sqlite_codes, sqlstates
from docstore.adapters.persistence.sql.troubles import Trouble
from docstore.domain.errors import (
    AlreadyExists,
    Damaged,
    DocstoreError,
    NotFound,
    OutOfSpace,
    Unavailable,
)


@contextmanager
def sql_errors(subject: str, *, parent: str = "parent") -> Iterator[None]:
    """`subject` is what is read or written, `parent` what its foreign key names."""
    try:
        yield
    except TimeoutError as error:
        raise Unavailable("the database is busy: no connection became free in time") from error
    except (DBAPIError, sqlite3.Error) as error:
        if (ours := _translated(error, subject, parent)) is None:
            raise
        raise ours from error


def driver_error(error: Exception) -> BaseException:
    """The driver's own error, which SQLAlchemy may have wrapped."""
    return (error.orig if isinstance(error, DBAPIError) else None) or error


def _translated(error: Exception, subject: str, parent: str) -> DocstoreError | None:
    cause = driver_error(error)
    match _trouble(error, cause):
        case Trouble.TAKEN:
            return AlreadyExists(f"{subject} exists already")
        case Trouble.NO_PARENT:
            return NotFound(f"{parent} of", subject)
        case Trouble.FULL:
            return OutOfSpace("the database's disk is full")
        case Trouble.DAMAGED:
            return Damaged(f"the database: {cause}")
        case Trouble.PASSING:
            return Unavailable(f"the database: {cause}")
    return None


def _trouble(error: Exception, cause: BaseException) -> Trouble | None:
    if isinstance(cause, sqlite3.Error):
        return sqlite_codes.trouble(cause)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return Trouble.PASSING
    return sqlstates.trouble(cause)
