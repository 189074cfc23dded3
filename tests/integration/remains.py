"""What a store holds, seen from outside: rows, objects, and what was never finished."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Remains:
    files: int  # rows
    jobs: int  # rows, of those that process a file
    objects: frozenset[str]  # paths below the folder of blobs
    unfinished: frozenset[str]  # temporary files


def remains(data_dir: Path) -> Remains:
    blobs = data_dir / "blobs"
    found = {str(p.relative_to(blobs)) for p in blobs.rglob("*") if p.is_file()}
    unfinished = {name for name in found if "~" in name}
    ((files,),) = select(data_dir, "SELECT count(*) FROM files")
    ((jobs,),) = select(data_dir, "SELECT count(*) FROM jobs WHERE file_id IS NOT NULL")
    return Remains(files, jobs, frozenset(found - unfinished), frozenset(unfinished))


def is_intact(data_dir: Path) -> bool:
    return select(data_dir, "PRAGMA integrity_check") == [("ok",)]


def select(data_dir: Path, sql: str) -> Sequence[tuple[Any, ...]]:
    """Reads alone, beside a server or after it."""
    with closing(sqlite3.connect(data_dir / "docstore.db")) as db:
        db.execute("PRAGMA query_only = ON")
        return db.execute(sql).fetchall()


def change(data_dir: Path, sql: str) -> None:
    """What time would do, for example."""
    with closing(sqlite3.connect(data_dir / "docstore.db", timeout=10)) as db, db:
        assert db.execute(sql).rowcount > 0
