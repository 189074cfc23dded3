"""A file that has no name: the bytes of a body, where a parser can seek in them."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

BATCH: Final = 1024 * 1024  # bytes written per trip to a thread


class Spool:
    """Holds a body's bytes until it is closed. Nothing is left of it after a crash."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def open(self) -> int:
        """A new read-only descriptor with a position of its own; the caller closes it."""
        return os.open(f"/proc/self/fd/{self._descriptor}", os.O_RDONLY | os.O_CLOEXEC)


@asynccontextmanager
async def spooled(body: AsyncIterator[bytes], folder: Path | None) -> AsyncIterator[Spool]:
    """Read `body` to its end into `folder` (default: the system's for temporary files)."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:  # no bytes move yet
        async for batch in _batches(body):
            await _write_out(file.fileno(), batch)
        yield Spool(file.fileno())


async def _write_out(descriptor: int, batch: list[bytes]) -> None:
    """Returns once the thread is done with the descriptor, also when this is cancelled: closed
    under its hands, the number could be another file's by then.
    """
    writing = asyncio.ensure_future(asyncio.to_thread(_write, descriptor, batch))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait({writing})
        raise


async def _batches(body: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    async for chunk in body:
        batch.append(chunk)
        size += len(chunk)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _write(descriptor: int, batch: list[bytes]) -> None:
    for chunk in batch:
        view = memoryview(chunk)
        while view:
            view = view[os.write(descriptor, view) :]
