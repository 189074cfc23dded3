"""Bodies for `BlobStore.put`."""

from collections.abc import AsyncIterator

import anyio


async def chunks(*parts: bytes, then: BaseException | None = None) -> AsyncIterator[bytes]:
    """A body: `parts`, and then the error, if there is one."""
    for part in parts:
        yield part
    if then is not None:
        raise then


def patterned(size: int) -> bytes:
    """Bytes in which a piece that is misplaced by anything but a multiple of 251 shows."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


class StuckBody:
    """A body that stops after its bytes, until told to go on."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._reached = anyio.Event()
        self.go_on = anyio.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._data), 65536):
            yield self._data[at : at + 65536]
        self._reached.set()
        await self.go_on.wait()

    async def reached(self) -> None:
        with anyio.fail_after(30):
            await self._reached.wait()
