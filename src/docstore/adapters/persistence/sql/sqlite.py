"""What is special about SQLite: its file, its pragmas, and one writer at a time."""

import os
import sqlite3
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, NullPool, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

WAIT: Final = 5.0  # seconds: for a connection, and again for another process's lock
READERS: Final = 4  # connections

_PRAGMAS: Final = {"busy_timeout": str(int(WAIT * 1000)), "foreign_keys": "ON"}


def writer(url: URL, *, durable: bool) -> AsyncEngine:
    """One connection: SQLite has one writer at a time, so waiting for it is best done here, in
    turn, not by polling its lock.
    """
    pragmas = {"journal_mode": "WAL", "synchronous": "FULL" if durable else "NORMAL"}
    engine = _engine(url, _PRAGMAS | pragmas, pool_size=1)
    _begin_with(engine, "BEGIN IMMEDIATE")  # a lock taken late cannot be waited for
    return engine


def readers(url: URL) -> AsyncEngine:
    """Connections that cannot write, and in WAL wait for nobody."""
    engine = _engine(url, _PRAGMAS | {"query_only": "ON"}, pool_size=READERS)
    _begin_with(engine, "BEGIN")
    return engine


def migrator(url: URL) -> AsyncEngine:
    """A writer that heeds no foreign key: a migration that builds a table anew drops the old one,
    which would take along every row that refers to it.
    """
    pragmas = _PRAGMAS | {"journal_mode": "WAL", "synchronous": "FULL", "foreign_keys": "OFF"}
    engine = _engine(url, pragmas, poolclass=NullPool)
    _begin_with(engine, "BEGIN IMMEDIATE")
    return engine


def check_foreign_keys(db: Connection) -> None:
    """What a connection of `migrator` owes before it commits."""
    if orphan := db.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError(f"a row is without its parent: {tuple(orphan)}")


def create_file(path: Path) -> None:
    """An empty database that only its owner may read, unless there is one; durably."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    for folder in (path.parent, path.parent.parent):
        _sync(folder)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _engine(url: URL, pragmas: Mapping[str, str], **pool: Any) -> AsyncEngine:
    if "poolclass" not in pool:
        pool |= {"max_overflow": 0, "pool_timeout": WAIT}
    # Without an isolation level the driver begins nothing by itself.
    arguments = {"isolation_level": None, "factory": partial(_open, pragmas)}
    return create_async_engine(url, connect_args=arguments, **pool)


def _open(pragmas: Mapping[str, str], *args: Any, **kwargs: Any) -> sqlite3.Connection:
    """Configured in the call that opens it, so that none is ever seen half configured."""
    connection = sqlite3.Connection(*args, **kwargs)
    try:
        for name, value in pragmas.items():
            connection.execute(f"PRAGMA {name} = {value}")
    except BaseException:
        connection.close()
        raise
    return connection


def _begin_with(engine: AsyncEngine, statement: str) -> None:
    begin: Callable[[Connection], object] = lambda db: db.exec_driver_sql(statement)  # noqa: E731
    event.listen(engine.sync_engine, "begin", begin)
