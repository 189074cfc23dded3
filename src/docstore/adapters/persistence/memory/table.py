"""What the tables of users, files and jobs share."""

from collections.abc import Iterable, Set
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

from docstore.adapters.persistence.memory.transaction import Rows, Transaction
from docstore.domain.errors import AlreadyExists, NotFound, StaleVersion
from docstore.domain.listing import Place


class Versioned(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...


E = TypeVar("E", bound=Versioned)


class MemoryTable(Generic[E]):
    """What the tables share: add a row, or replace exactly the version before it."""

    kind: str
    fixed: ClassVar[Set[str]]  # fields that no update may change

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    @property
    def _rows(self) -> Rows:
        return self._transaction.rows

    def _table(self, rows: Rows) -> dict[UUID, E]:
        raise NotImplementedError

    def _check(self, entity: E, rows: Rows) -> None:
        """Raise what the constraints of the table say of `entity` among `rows`."""

    def _get(self, ident: UUID) -> E:
        return self._first(ident, [self._table(self._rows).get(ident)])

    def _first(self, ident: object, found: Iterable[E | None]) -> E:
        for entity in found:
            if entity is not None:
                return entity
        raise NotFound(self.kind, ident)

    async def add(self, entity: E) -> None:
        def change(rows: Rows) -> None:
            if entity.id in self._table(rows):
                raise AlreadyExists(f"{self.kind} {entity.id} exists already")
            self._check(entity, rows)
            self._table(rows)[entity.id] = entity

        self._transaction.make(change, adds=True)

    async def update(self, entity: E) -> None:
        def change(rows: Rows) -> None:
            before = self._table(rows).get(entity.id)
            if before is None or before.version != entity.version - 1:
                raise StaleVersion(f"{self.kind} {entity.id} is not at {entity.version - 1}")
            # Other stores would lose it: see `sql.versioned.Statements`.
            lost = [name for name in self.fixed if getattr(before, name) != getattr(entity, name)]
            assert not lost, f"{self.kind}: {', '.join(lost)} cannot be changed"
            self._check(entity, rows)
            self._table(rows)[entity.id] = entity

        self._transaction.make(change)


def beyond(after: Place | None, placed: Iterable[tuple[Place, E]], *, descending: bool) -> list[E]:
    """What comes after that place in the order of places."""

    def order(found: tuple[Place, E]) -> tuple[Any, UUID]:
        return found[0].value, found[0].id

    ordered = sorted(placed, key=order, reverse=descending)
    if after is not None:
        start = (after.value, after.id)
        ordered = [p for p in ordered if (order(p) < start if descending else order(p) > start)]
    return [entity for _, entity in ordered]
