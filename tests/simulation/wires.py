"""The way between a process and what it leans on. Every port call passes here, there and back."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar, cast

from docstore.application.ports.blob_store import BlobInfo, BlobStore
from docstore.application.ports.unit_of_work import REFUSALS, Begin, UnitOfWork
from simulation.process import Dead, Process

T = TypeVar("T")


class Weather(Protocol):
    """What may happen to a message. Called `before` the other side acts, and `after` it did."""

    async def before(self, process: Process, call: str) -> None: ...
    async def after(self, process: Process, call: str) -> None: ...


class Line:
    """One process's connections."""

    def __init__(self, process: Process, weather: Weather) -> None:
        self._process = process
        self._weather = weather

    async def before(self, call: str) -> None:
        if self._process.is_dead:
            raise Dead
        await self._weather.before(self._process, call)

    async def after(self, call: str) -> None:
        await self._weather.after(self._process, call)

    async def call(self, call: str, effect: Callable[[], Awaitable[T]]) -> T:
        await self.before(call)
        result = await effect()
        await self.after(call)
        return result


class WiredRepository:
    """Any repository of a unit of work; asked for anew each time, as a commit may replace it."""

    def __init__(self, line: Line, unit: UnitOfWork, part: str) -> None:
        self._line = line
        self._unit = unit
        self._part = part

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            repository = getattr(self._unit, self._part)
            return await self._line.call(
                f"{self._part}.{method}", lambda: getattr(repository, method)(*args, **kwargs)
            )

        return call


class WiredUnit:
    """A transaction at the other end of a line."""

    def __init__(self, line: Line, unit: UnitOfWork) -> None:
        self._line = line
        self._unit = unit
        self.may_be_saved = False

    def __getattr__(self, part: str) -> WiredRepository:
        if part.startswith("_"):
            raise AttributeError(part)
        return WiredRepository(self._line, self._unit, part)

    async def now(self) -> datetime:
        return await self._line.call("now", self._unit.now)

    async def commit(self) -> None:
        self.may_be_saved = True  # whether it arrived, nobody knows until there is an answer
        try:
            await self._line.call("commit", self._unit.commit)
        except REFUSALS:
            self.may_be_saved = False
            raise

    async def __aenter__(self) -> Self:
        await self._line.before("begin")
        await self._unit.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        # The other side ends the transaction whether or not it hears from this one.
        await self._unit.__aexit__(exc_type, exc, tb)
        await self._line.before("end")


def wired_begin(line: Line, begin: Begin) -> Begin:
    def wired(*, read_only: bool = False, add_only: bool = False) -> UnitOfWork:
        return cast(UnitOfWork, WiredUnit(line, begin(read_only=read_only, add_only=add_only)))

    return wired


class WiredBlobStore:
    """A store at the other end of a line."""

    def __init__(self, line: Line, blobs: BlobStore) -> None:
        self._line = line
        self._blobs = blobs

    async def put(self, key: str, body: AsyncIterable[bytes]) -> None:
        await self._line.call("put", lambda: self._blobs.put(key, body))

    @asynccontextmanager
    async def open(
        self, key: str, *, start: int = 0, length: int | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        async with AsyncExitStack() as stack:
            opened = self._blobs.open(key, start=start, length=length)
            body = await self._line.call("open", lambda: stack.enter_async_context(opened))
            yield self._read(body)

    async def _read(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in body:
            await self._line.before("read")
            half = len(chunk) // 2 + 1
            yield chunk[:half]
            if rest := chunk[half:]:
                await self._line.before("read")
                yield rest

    async def stat(self, key: str) -> BlobInfo:
        return await self._line.call("stat", lambda: self._blobs.stat(key))

    async def copy(self, source: str, target: str) -> None:
        await self._line.call("copy", lambda: self._blobs.copy(source, target))

    async def delete(self, key: str) -> None:
        await self._line.call("delete", lambda: self._blobs.delete(key))

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        await self._line.before("list")
        async for blob in self._blobs.list(prefix):
            await self._line.before("list.next")
            yield blob

    async def tidy(self, older_than: timedelta) -> int:
        return await self._line.call("tidy", lambda: self._blobs.tidy(older_than))
