import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256, sha512
from typing import Any, Final

from docstore.domain.errors import DigestMismatch, TooLarge

BATCH: Final = 512 * 1024  # bytes hashed in one visit to a thread
INLINE: Final = 128 * 1024  # bytes that are hashed faster than a thread is reached (0.1 ms)
SAMPLE: Final = 64 * 1024  # bytes kept of each end, for the type

ALGORITHMS: Final[Mapping[str, Callable[[], Any]]] = {"sha-256": sha256, "sha-512": sha512}
"""The digests of RFC 9530 that are verified; a client may send others, they are ignored."""


@dataclass(slots=True)
class Meter:
    """Passes a body on, in batches: counted, hashed, and its two ends kept.

    Raises TooLarge at the first byte past `limit`, DigestMismatch at the end when the bytes are
    not those that the client announced in `digests` (algorithm of `ALGORITHMS` to value).
    """

    body: AsyncIterable[bytes]
    limit: int  # bytes
    setting: str  # that sets the limit
    digests: Mapping[str, bytes] = field(default_factory=dict)
    size: int = 0  # bytes seen
    head: bytearray = field(default_factory=bytearray)
    _tail: deque[bytes] = field(default_factory=deque)
    _tail_size: int = 0
    _sha256: Any = field(default_factory=sha256)
    _others: dict[str, Any] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Hex digest of what has passed."""
        digest: str = self._sha256.hexdigest()
        return digest

    @property
    def tail(self) -> bytes:
        """The last bytes that are not in `head`, at most SAMPLE of them."""
        return b"".join(self._tail)[-SAMPLE:]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """One batch is hashed while it is written, and while the next one comes."""
        self._others = {a: ALGORITHMS[a]() for a in self.digests if a != "sha-256"}
        hashing: asyncio.Future[None] | None = None
        async for batch in self._batches():
            if hashing is not None:
                await hashing
            hashing = self._start_hashing(batch)
            for chunk in batch:
                yield chunk
        if hashing is not None:
            await hashing
        self._verify()

    def _start_hashing(self, batch: Sequence[bytes]) -> asyncio.Future[None] | None:
        if sum(map(len, batch)) <= INLINE:
            self._hash(batch)
            return None
        return asyncio.get_running_loop().run_in_executor(None, self._hash, batch)

    async def _batches(self) -> AsyncIterator[Sequence[bytes]]:
        batch: list[bytes] = []
        waiting = 0
        async for chunk in self.body:
            self.size += len(chunk)
            if self.size > self.limit:
                raise TooLarge(self.limit, self.setting)
            self._keep_ends(chunk)
            batch.append(chunk)
            waiting += len(chunk)
            if waiting >= BATCH:
                yield batch
                batch, waiting = [], 0
        if batch:
            yield batch

    def _keep_ends(self, chunk: bytes) -> None:
        if (room := SAMPLE - len(self.head)) > 0:
            self.head += chunk[:room]
            chunk = chunk[room:]
        if not chunk:
            return
        self._tail.append(chunk)
        self._tail_size += len(chunk)
        while self._tail_size - len(self._tail[0]) >= SAMPLE:
            self._tail_size -= len(self._tail.popleft())

    def _hash(self, batch: Sequence[bytes]) -> None:
        for digest in (self._sha256, *self._others.values()):
            for chunk in batch:
                digest.update(chunk)

    def _verify(self) -> None:
        seen = {"sha-256": self._sha256, **self._others}
        for algorithm, announced in self.digests.items():
            if seen[algorithm].digest() != announced:
                raise DigestMismatch(f"the {algorithm} of what arrived is another one")
