import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError, TimeoutError

from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.domain.errors import (
    AlreadyExists,
    Damaged,
    DocstoreError,
    NotFound,
    OutOfSpace,
    Unavailable,
)


class Told(Exception):
    """As drivers for PostgreSQL raise it."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("what the server said")
        self.sqlstate = sqlstate


def wrapped(error: Exception, *, lost: bool = False) -> DBAPIError:
    return DBAPIError("SELECT", None, error, connection_invalidated=lost)


def of_sqlite(code: int) -> sqlite3.Error:
    error = sqlite3.Error("what it said")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (wrapped(Told("23505")), AlreadyExists),
        (wrapped(Told("23503")), NotFound),
        (wrapped(Told("53100")), OutOfSpace),
        (wrapped(Told("XX001")), Damaged),
        (wrapped(Told("40001")), Unavailable),  # serialization failure
        (wrapped(Told("40P01")), Unavailable),  # deadlock
        (wrapped(Told("55P03")), Unavailable),  # lock time-out
        (wrapped(Told("57014")), Unavailable),  # statement time-out
        (wrapped(Told("57P01")), Unavailable),  # shutdown
        (wrapped(Told("53300")), Unavailable),  # too many connections
        (wrapped(Told("25006")), Unavailable),  # read-only
        (wrapped(Told("28P01")), Unavailable),  # wrong password
        (wrapped(Told(None), lost=True), Unavailable),
        (TimeoutError("the pool"), Unavailable),
        (of_sqlite(sqlite3.SQLITE_CONSTRAINT_UNIQUE), AlreadyExists),
        (wrapped(of_sqlite(sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY)), NotFound),
        (wrapped(of_sqlite(sqlite3.SQLITE_FULL)), OutOfSpace),
        (of_sqlite(sqlite3.SQLITE_NOTADB), Damaged),
        (of_sqlite(sqlite3.SQLITE_IOERR_FSYNC), Unavailable),
    ],
)
def test_what_a_database_says_becomes_ours(error: Exception, ours: type[DocstoreError]) -> None:
    with pytest.raises(DocstoreError) as raised, sql_errors("file", parent="owner"):
        raise error
    assert type(raised.value) is ours


@pytest.mark.parametrize(
    "error",
    [
        wrapped(Told("23514")),  # a broken CHECK
        wrapped(Told("42601")),  # a syntax error
        wrapped(Told(None)),
        of_sqlite(sqlite3.SQLITE_CONSTRAINT_CHECK),
        ZeroDivisionError(),
    ],
)
def test_a_bug_stays_one(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, sql_errors("file"):
        raise error
    assert raised.value is error
