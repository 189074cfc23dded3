"""The only place that turns the errors of SQLAlchemy and of the drivers into docstore's."""

import sqlite3
from types import TracebackType

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


class sql_errors:
    """`subject` is what is read or written, `parent` what its foreign key names.

    Entered several times in a request: a generator would take three times as long.
    """

    __slots__ = ("_parent", "_subject")

    def __init__(self, subject: str, *, parent: str = "parent") -> None:
        self._subject = subject
        self._parent = parent

    def __enter__(self) -> None:
        """Nothing happens until something goes wrong."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if isinstance(error, TimeoutError):
            raise Unavailable("the database is busy: no connection became free in time") from error
        if isinstance(error, (DBAPIError, sqlite3.Error)):
            ours = _translated(error, self._subject, self._parent)
            if ours is not None:
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
