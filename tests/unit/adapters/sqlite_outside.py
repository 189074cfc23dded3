"""A SQLite file from outside: what another process sees of it, or holds; and a broken disk."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from math import inf
from pathlib import Path
from typing import Any

from docstore.domain.user import User


def stored(path: Path) -> Sequence[str]:
    """The addresses of users that another process sees."""
    with closing(sqlite3.connect(path)) as other:
        return [row[0] for row in other.execute("SELECT email FROM users ORDER BY email")]


def emails(*users: User) -> Sequence[str]:
    """In the order of `stored`."""
    return sorted(str(user.email) for user in users)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """By another process, until it rolls back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


class Sick:
    """A connection that says of statements which begin with one of `words` that the disk is broken;
    of each so many `times`.
    """

    def __init__(self, raw: sqlite3.Connection, *words: str, times: float = inf) -> None:
        self._raw = raw
        self._left = dict.fromkeys(words, times)

    def execute(self, statement: str) -> sqlite3.Cursor:
        for word, times in self._left.items():
            if times > 0 and statement.startswith(word):
                self._left[word] = times - 1
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR
                raise error
        return self._raw.execute(statement)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)
