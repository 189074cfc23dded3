from collections.abc import Callable, Collection, Mapping, Sequence, Set
from itertools import islice
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Delete,
    Executable,
    Row,
    Table,
    bindparam,
    delete,
    insert,
    select,
    tuple_,
    update,
)

from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.transaction import Transaction
from docstore.domain.errors import NotFound, StaleVersion


class Versioned(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...


E = TypeVar("E", bound=Versioned)

MANY: Final = 100  # rows: reading more takes longer than a moment
_BATCH: Final = 500  # ids in one statement; databases limit its parameters, some to 999


class Statements:
    """What every table is asked, built once: building costs more than running them.

    What is `fixed` when a row is added is not written again: a database keeps up every index and
    foreign key of a column that is, also when its value is the same. It is half of an update.
    Whether it was changed all the same is not seen here, but by the tables in memory.
    """

    def __init__(self, table: Table, fixed: Set[str]) -> None:
        is_it = table.c.id == bindparam("row_id")
        self.insert = insert(table)
        self.by_id = select(table).where(is_it)
        self.delete = delete(table).where(is_it)
        self.replace = update(table).where(is_it, table.c.version == bindparam("row_version"))
        self.changing = [column.name for column in table.c if column.name not in fixed]


def deletion_of_free(table: Table, *rules: ColumnElement[bool]) -> Delete:
    """Deletes the rows that `rules` take, but for those that another transaction has in hand."""
    keys = list(table.primary_key)
    free = select(*keys).where(*rules).with_for_update(skip_locked=True)
    return delete(table).where(tuple_(*keys).in_(free))


class VersionedRows(Generic[E]):
    """One table of entities: add one, or replace exactly the version before it."""

    kind: ClassVar[str]
    parent: ClassVar[str]  # what a row must not be without
    statements: ClassVar[Statements]
    read: ClassVar[Callable[[Row[Any]], Any]]  # makes the entity of a row
    written: ClassVar[Callable[[Any], Mapping[str, Any]]]  # and the columns of an entity, by name

    def __init__(self, db: Transaction) -> None:
        self._db = db

    async def add(self, entity: E) -> None:
        with sql_errors(f"{self.kind} {entity.id}", parent=self.parent):
            await self._db.change(self.statements.insert, type(self).written(entity))

    async def update(self, entity: E) -> None:
        row = type(self).written(entity)
        values = {name: row[name] for name in self.statements.changing}
        values |= {"row_id": entity.id, "row_version": entity.version - 1}
        if not await self._change(self.statements.replace, values):
            raise StaleVersion(f"{self.kind} {entity.id} is not at version {entity.version - 1}")

    async def _delete(self, ident: UUID, *, long: bool = False) -> None:
        if not await self._change(self.statements.delete, {"row_id": ident}, long=long):
            raise NotFound(self.kind, ident)

    async def _change(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        """How many rows it changed."""
        with sql_errors(self.kind, parent=self.parent):
            return await self._db.change(statement, values, long=long)

    async def _by_id(self, ident: UUID) -> E:
        return await self._one(ident, self.statements.by_id, {"row_id": ident})

    async def _by_ids(self, statement: Executable, ids: Collection[UUID]) -> Sequence[E]:
        """What `statement` finds of the `ids`, in batches."""
        found: list[E] = []
        rest = iter(sorted(set(ids)))
        while batch := list(islice(rest, _BATCH)):
            found += await self._all(statement, {"ids": batch}, long=len(batch) > MANY)
        return found

    async def _one(self, ident: object, statement: Executable, values: Mapping[str, Any]) -> E:
        # No text has a NUL, and PostgreSQL refuses to look for one.
        has_nul = isinstance(ident, str) and "\x00" in ident
        found = () if has_nul else await self._all(statement, values)
        if not found:
            raise NotFound(self.kind, ident)
        return found[0]

    async def _number(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        """What a statement with one value in its result says."""
        with sql_errors(self.kind):
            # PostgreSQL's sum of whole numbers is a Decimal.
            return int((await self._db.fetch(statement, values, long=long))[0][0])

    async def _all(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> Sequence[E]:
        read = type(self).read
        with sql_errors(self.kind):
            return [read(row) for row in await self._db.fetch(statement, values, long=long)]
