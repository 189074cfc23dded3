"""One put: a body of unknown length, turned into one request or into the parts of an upload."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from docstore.adapters.ending import ended, finished
from docstore.adapters.storage.s3.calls import ObjectCalls, SentPart
from docstore.adapters.storage.s3.errors import s3_errors
from docstore.adapters.storage.s3.parts import Part, Room
from docstore.adapters.storage.threads import Threads
from docstore.domain.errors import DocstoreError, Unavailable

_SMALL: Final = 256 * 1024  # bytes; many such bodies may be sent at once
_IN_FLIGHT: Final = 2  # parts of one body that are sent at once
_GROWS_AFTER: Final = 1000  # parts, so that 10,000 of them hold 55 times as much as equal ones


@dataclass(frozen=True, slots=True)
class Means:
    """What every put of a store uses."""

    threads: Threads
    senders: Threads  # fewer: each holds a part in memory
    room: Room
    part_bytes: int


class Uploading:
    """Leaving it without `finish` aborts what was begun, whatever the reason."""

    def __init__(self, calls: ObjectCalls, means: Means) -> None:
        self._calls = calls
        self._means = means
        self._part = Part(means.room)
        self._upload_id: str | None = None
        self._sending: deque[tuple[asyncio.Future[SentPart], Part]] = deque()
        self._sent: list[SentPart] = []
        self._number = 1
        self._size = 0

    async def add(self, chunk: bytes) -> None:
        """Take the next bytes; a full part goes on its way once more follows."""
        left = memoryview(chunk)
        while left:
            if self._part.size == self._part_bytes:
                await self._send()
            piece = left[: self._part_bytes - self._part.size]
            await self._keep(bytes(piece) if len(piece) < len(chunk) else chunk)
            left = left[len(piece) :]

    async def finish(self) -> None:
        """Make it an object, and see that the server has it as it was sent."""
        if self._upload_id is not None:
            await self._send()
            while self._sending:
                await self._settle()
        self._size += self._part.size
        is_small = self._part.size <= _SMALL or self._upload_id is not None
        await (self._means.threads if is_small else self._means.senders).commit(self._commit)
        self._part.forget()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if error is None:
            return
        try:
            await self._abandon(is_away=isinstance(error, Unavailable))
        finally:
            self._part.forget()

    @property
    def _part_bytes(self) -> int:
        """S3 takes 10,000 parts, of 5 MiB or more: those of a very large body have to grow."""
        return self._means.part_bytes * (1 + self._number // _GROWS_AFTER)

    async def _keep(self, chunk: bytes) -> None:
        while not self._part.keep(chunk):
            if self._part.is_in_memory and self._sending:
                await self._settle()  # makes room
            else:
                await self._means.threads.run(partial(self._spill, chunk))
                self._part.give_back()
                return

    def _spill(self, chunk: bytes) -> None:
        try:
            self._part.spill(chunk)
        except OSError as error:
            raise Unavailable(f"no room to hold a part of {self._calls.key}: {error}") from error

    async def _send(self) -> None:
        if self._upload_id is None:
            await self._means.threads.run(self._create)
        while len(self._sending) >= _IN_FLIGHT:
            await self._settle()
        number, part = self._number, self._part
        self._number += 1
        self._size += part.size
        self._part = Part(self._means.room)
        future = self._means.senders.start(partial(self._put_part, number, part))
        self._sending.append((future, part))

    async def _settle(self) -> None:
        """Wait for the part that was sent first."""
        future, part = self._sending[0]
        try:
            sent = await finished(future)
        finally:
            self._sending.popleft()
            part.forget()
        self._sent.append(sent)

    async def _abandon(self, *, is_away: bool) -> None:
        """To its end, however often the put is cancelled meanwhile."""
        cancelled = None
        while self._sending:
            future, part = self._sending.popleft()
            cancelled = await self._given_up(future) or cancelled
            part.forget()
        if self._upload_id is not None and is_away:
            # A caller should not wait for what has just failed him.
            self._means.threads.start_apart(self._abort)
        elif self._upload_id is not None:
            cancelled = await self._given_up(self._means.threads.start(self._abort)) or cancelled
        if cancelled is not None:
            raise cancelled

    @staticmethod
    async def _given_up(step: asyncio.Future[Any]) -> asyncio.CancelledError | None:
        cancelled = await ended(step)
        step.exception()  # seen; what ended the put tells more
        return cancelled

    # Below are the steps that block.

    def _create(self) -> None:
        with s3_errors(self._calls.key):
            self._upload_id = self._calls.create()

    def _put_part(self, number: int, part: Part) -> SentPart:
        assert self._upload_id is not None
        with s3_errors(self._calls.key):
            return self._calls.put_part(self._upload_id, number, part.pieces())

    def _commit(self) -> None:
        with s3_errors(self._calls.key):
            if self._upload_id is None:
                etag = self._calls.put_whole(self._part.pieces())
            else:
                etag = self._calls.complete(self._upload_id, self._sent)
            self._calls.verify(self._size, etag)

    def _abort(self) -> None:
        """What cannot be aborted now is found by `tidy`."""
        assert self._upload_id is not None
        with suppress(DocstoreError), s3_errors(self._calls.key):
            self._calls.abort(self._upload_id)
