"""What a transaction that only adds is refused, whichever database it is on."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from sqlalchemy import Executable, Insert, Row

from docstore.adapters.persistence.sql.transaction import Transaction


def refuse_to_fetch() -> NoReturn:
    raise TypeError("a transaction that only adds was asked for what is there")


def check_adds(statement: Executable) -> Insert:
    """TypeError for anything but an INSERT. Of other statements nobody would learn whether there
    was a row to change.
    """
    if not isinstance(statement, Insert):
        raise TypeError("a transaction that only adds was asked to change what is there")
    return statement


class OnlyAdding:
    """Another transaction, kept to its word: what runs here runs on databases that rely on it."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.begin = transaction.begin
        self.now = transaction.now
        self.commit = transaction.commit
        self.end = transaction.end

    @property
    def is_sent(self) -> bool:
        return self._transaction.is_sent

    async def fetch(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> Sequence[Row[Any]]:
        refuse_to_fetch()

    async def change(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        check_adds(statement)
        return await self._transaction.change(statement, values, long=long)
