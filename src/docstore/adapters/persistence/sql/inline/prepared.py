"""Statements as SQLite's driver takes them.

SQLAlchemy compiles each kind of statement once, and says how its values are written and read. It is
not asked again: what it does around each execution is the same every time, and takes many times as
long as SQLite does for a row.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final, TypeAlias

from sqlalchemy import JSON, BindParameter, Dialect, Executable, Row, Select, Uuid
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

from docstore.adapters.persistence.sql.inline.values import (
    read_json,
    read_moment,
    read_uuid,
    written_json,
    written_moment,
)
from docstore.adapters.persistence.sql.tables import UtcDateTime

KINDS: Final = 512  # that are kept; listings have one for each combination of filters

Convert: TypeAlias = Callable[[Any], Any]


class Prepared:
    """One statement, for one set of names of its values. Raises TypeError for what it cannot
    prepare: a statement whose text depends on its values.
    """

    def __init__(self, statement: Executable, names: frozenset[str], dialect: Dialect) -> None:
        assert isinstance(statement, (Select, UpdateBase))
        columns = sorted(names) if isinstance(statement, UpdateBase) else None
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        assert isinstance(compiled, SQLCompiler)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise TypeError("its text depends on its values")
        self._sql = str(compiled)
        self._names = tuple(compiled.positiontup or ())
        takes = [_taken(compiled.binds[name], dialect) for name in self._names]
        self._otherwise = [otherwise for _, otherwise in takes]
        self._converts = [(place, c) for place, (c, _) in enumerate(takes) if c is not None]
        if isinstance(statement, Select):
            self._row = _row(statement)
            gives = [_given(c.type, dialect) for c in statement.selected_columns]
            self._gives = [(place, give) for place, give in enumerate(gives) if give is not None]

    def fetch(self, db: sqlite3.Connection, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """All rows of the result."""
        rows: list[Any] = []
        for found in db.execute(self._sql, self._written(values)):
            given = list(found)
            for place, convert in self._gives:
                if given[place] is not None:
                    given[place] = convert(given[place])
            rows.append(self._row(given))
        return rows

    def change(self, db: sqlite3.Connection, values: Mapping[str, Any]) -> int:
        """How many rows it changed."""
        return db.execute(self._sql, self._written(values)).rowcount

    def _written(self, values: Mapping[str, Any]) -> Sequence[Any]:
        written = list(map(values.get, self._names, self._otherwise))
        for place, convert in self._converts:
            written[place] = convert(written[place])
        return written


@lru_cache(KINDS)
def prepared(statement: Executable, names: frozenset[str], dialect: Dialect) -> Prepared | None:
    """None for what cannot be prepared. Statements are told apart by their identity: those that
    are worth it are built once.
    """
    try:
        return Prepared(statement, names, dialect)
    except TypeError:
        return None


def _taken(bind: BindParameter[Any], dialect: Dialect) -> tuple[Convert | None, Any]:
    """How a value is written, and what stands for one that is not given."""
    if isinstance(bind.type, UtcDateTime):
        return written_moment, bind.effective_value
    kind: TypeEngine[Any] = bind.type.dialect_impl(dialect)
    convert: Convert | None = kind.bind_processor(dialect)
    if isinstance(bind.type, JSON) and convert is not None:
        convert = written_json(convert)
    return convert, bind.effective_value


def _given(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """How a value is read that is not NULL."""
    if isinstance(kind, UtcDateTime):
        return read_moment
    if isinstance(kind, Uuid):
        return read_uuid
    if isinstance(kind, JSON):
        return read_json
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _row(statement: Select[Any]) -> Callable[[Sequence[Any]], Any]:
    """Makes a row: a tuple whose places have the names of the columns."""
    names = [c.name for c in statement.selected_columns]
    return partial(tuple.__new__, namedtuple("Row", names, rename=True))
