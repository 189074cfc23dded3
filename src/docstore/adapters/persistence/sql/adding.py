"""Transactions that only add, kept to their word: what runs on one database runs on all."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Executable, Insert, Row


class Adder(Protocol):
    """As much of a Transaction as such a one needs."""

    @property
    def is_sent(self) -> bool: ...
    async def begin(self) -> None: ...
    async def change(
        self, statement: Insert, values: Mapping[str, Any], *, long: bool = False
    ) -> int: ...
    async def now(self) -> datetime: ...
    async def commit(self) -> None: ...
    async def end(self) -> None: ...


class OnlyAdding:
    """A Transaction that refuses, with a TypeError, whatever is no INSERT."""

    def __init__(self, adder: Adder) -> None:
        self._adder = adder
        self.begin = adder.begin
        self.now = adder.now
        self.commit = adder.commit
        self.end = adder.end

    @property
    def is_sent(self) -> bool:
        return self._adder.is_sent

    async def fetch(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> Sequence[Row[Any]]:
        raise TypeError("a transaction that only adds was asked for what is there")

    async def change(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        """Of other statements nobody would learn whether there was a row to change."""
        if not isinstance(statement, Insert):
            raise TypeError("a transaction that only adds was asked to change what is there")
        return await self._adder.change(statement, values, long=long)
