"""What is special about SQLite: its file, its pragmas, and how JSON is read from it."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from json import JSONDecoder, JSONEncoder
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event

from docstore.domain.errors import Unavailable

T = TypeVar("T")

WAIT: Final = 5.0  # seconds: for a connection, and again for another process's lock
READERS: Final = 4  # connections

PATIENT: Final = {"busy_timeout": str(int(WAIT * 1000)), "foreign_keys": "ON"}
IMPATIENT: Final = PATIENT | {"busy_timeout": "0"}  # the event loop must not wait inside SQLite
READING: Final = {"query_only": "ON"}


def writing(*, durable: bool) -> dict[str, str]:
    """The pragmas of a writer. `durable`: each commit waits for the disk.

    What a savepoint needs to be undone is kept in memory: it is little, and would else be a file
    that is made, written and removed again for each of them.
    """
    synchronous = "FULL" if durable else "NORMAL"
    return {"journal_mode": "WAL", "synchronous": synchronous, "temp_store": "MEMORY"}


def now() -> datetime:
    """SQLite runs in this process, so its clock is this one, and finer than `strftime`."""
    return datetime.now(UTC)


def file_of(url: URL) -> Path:
    """The file that `url` names; ValueError when it names none."""
    if not url.database or url.database == ":memory:":
        raise ValueError(f"{url} names no file; for a store in memory there is memory://")
    return Path(url.database)


def create_file(path: Path) -> None:
    """An empty database that only its owner may read, unless there is one; durably."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    for folder in (path.parent, path.parent.parent):
        _sync(folder)


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """What a file system says to a database that cannot be made."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"the database {path} cannot be made: {error.strerror}") from error


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def engine(url: URL, pragmas: Mapping[str, str]) -> Engine:
    """On the driver of the standard library; each connection may move between threads."""
    url = url.set(drivername="sqlite")
    return create_engine(url, poolclass=NullPool, **options(pragmas, check_same_thread=False))


def try_out(url: URL, *, durable: bool) -> None:
    """Open it once as a writer does."""
    made = engine(url, PATIENT | writing(durable=durable))
    with made.connect():
        pass


def driver(db: Connection) -> sqlite3.Connection:
    """What SQLAlchemy runs statements on. Transactions may be begun and ended here: SQLite has more
    kinds of them than SQLAlchemy knows.
    """
    raw = db.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def options(pragmas: Mapping[str, str], **arguments: Any) -> dict[str, Any]:
    """What SQLAlchemy is told, whichever driver runs the statements."""
    # Without an isolation level the driver begins nothing by itself.
    arguments |= {"isolation_level": None, "factory": partial(_open, pragmas)}
    return {
        "connect_args": arguments,
        "json_serializer": _write_json,
        "json_deserializer": read_json,
    }


def migrator(url: URL) -> Engine:
    """A writer that heeds no foreign key: a migration that builds a table anew drops the old one,
    which would take along every row that refers to it.
    """
    made = engine(url, PATIENT | writing(durable=True) | {"foreign_keys": "OFF"})
    event.listen(made, "begin", lambda db: db.exec_driver_sql("BEGIN IMMEDIATE"))
    return made


def migrating(url: URL, work: Callable[[Connection], T]) -> T:
    """What `work` returns, done in one transaction of `migrator`."""
    made = migrator(url)
    try:
        with made.begin() as db:
            return work(db)
    finally:
        made.dispose()


def check_foreign_keys(db: Connection) -> None:
    """What a connection of `migrator` owes before it commits."""
    if orphan := db.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError(f"a row is without its parent: {tuple(orphan)}")


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


_encode: Final = JSONEncoder().encode
_decode: Final = JSONDecoder().decode

# Nearly every such value of a file just uploaded is an empty list or object.


def _write_json(value: Any) -> str:
    if not value and isinstance(value, (list, dict)):
        return "{}" if isinstance(value, dict) else "[]"
    return _encode(value)


def read_json(text: str) -> Any:
    """What `_write_json` wrote."""
    if text == "[]":
        return []
    return {} if text == "{}" else _decode(text)
