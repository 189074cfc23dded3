from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Final, Self

from minio.datatypes import Object

from docstore.adapters.storage.s3 import copying
from docstore.adapters.storage.s3.buckets import Buckets
from docstore.adapters.storage.s3.calls import ObjectCalls, unfinished
from docstore.adapters.storage.s3.checksums import Guard, Protection
from docstore.adapters.storage.s3.client import Client
from docstore.adapters.storage.s3.credentials import provider_for
from docstore.adapters.storage.s3.errors import s3_errors
from docstore.adapters.storage.s3.location import Location, location_of
from docstore.adapters.storage.s3.parts import Room
from docstore.adapters.storage.s3.reading import Reading
from docstore.adapters.storage.s3.signing import answered_with, signed, signer_for
from docstore.adapters.storage.s3.transport import Transport
from docstore.adapters.storage.s3.turns import Turns
from docstore.adapters.storage.s3.uploading import Means, Uploading
from docstore.adapters.storage.threads import Threads
from docstore.application.ports.blob_store import BlobInfo
from docstore.domain.errors import NotFound, Unavailable

_LISTED_AT_ONCE: Final = 1000  # what a server tells in one answer
_PING_SECONDS: Final = 5.0
_ONE_SECOND: Final = timedelta(seconds=1)
_NONE: Final = Guard(Protection.SDK)


def connect(url: str, *, durable: bool = True) -> "S3BlobStore":
    """The store that `url` names; `location.py` has its forms. S3 is always durable.

    Raises ValueError for another form of URL. The server is not asked anything yet.
    """
    return S3BlobStore(location_of(url))


class S3BlobStore:
    """Blobs as objects of one bucket or two, on any server that speaks S3.

    The SDK blocks, so each call gets a thread; none is held while a client is waited for.
    `stored_at` is the end of the second that the server tells: HTTP knows no finer time, and it
    must never be too early.
    """

    def __init__(self, location: Location) -> None:
        sizes = location.sizes
        self._transport = Transport(location.limits, sizes.connections)
        credentials = provider_for(location, self._transport)
        self._client = Client(
            location.endpoint,
            secure=location.secure,
            region=location.region,
            http_client=self._transport,
            credentials=credentials,
        )
        self._signer = signer_for(location, self._client, credentials)
        self._location = location
        self._guard = Guard(location.checksums)
        self._buckets = Buckets(self._client, location.bucket, location.staging)
        self._threads = Threads(sizes.connections, "docstore-s3")
        self._means = Means(
            threads=self._threads,
            senders=Threads(sizes.parts_at_once, "docstore-s3-parts"),
            room=Room(sizes.memory_bytes),
            part_bytes=sizes.part_bytes,
        )
        self._turns = Turns()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self._threads.settle()
        self._transport.clear()

    async def migrate(self) -> None:
        """Make the buckets that are missing."""
        await self._threads.run(self._buckets.make)

    async def put(self, key: str, body: AsyncIterable[bytes]) -> None:
        async with Uploading(self._calls(key), self._means) as uploading:
            async for chunk in body:
                await uploading.add(chunk)
            async with self._turns.take(key):
                await uploading.finish()

    @asynccontextmanager
    async def open(
        self, key: str, *, start: int = 0, length: int | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        tries = self._location.limits.tries
        reading = Reading(self._client, self._buckets.of(key), key, start, length, tries=tries)
        try:
            first = await self._threads.run(reading.first)
            async with aclosing(self._pieces(reading, first)) as pieces:
                yield pieces
        finally:
            if reading.is_open:
                await self._threads.run(reading.close)

    async def stat(self, key: str) -> BlobInfo:
        return _info(await self._threads.run(partial(self._stat, key)))

    async def copy(self, source: str, target: str) -> None:
        async with self._turns.take(target):
            await self._threads.commit(partial(self._copy, source, target))

    async def delete(self, key: str) -> None:
        await self._threads.run(partial(self._delete, key))

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        for bucket in self._buckets.with_keys(prefix):
            found = self._client.list_objects(bucket, prefix, recursive=True)
            while some := await self._threads.run(partial(_some, found, prefix)):
                for item in some:
                    yield _info(item)

    async def tidy(self, older_than: timedelta) -> int:
        before = datetime.now(UTC) - older_than
        removed = 0
        for bucket in self._buckets.all:
            left = unfinished(self._client, bucket, before)
            # One at a time, so that a worker that is told to stop does not wait for all of them.
            while found := await self._threads.run(partial(_next, left, bucket)):
                removed += await self._threads.run(partial(self._abort, bucket, *found))
        return removed

    async def signed_url(
        self, key: str, *, lifetime: timedelta, media_type: str, disposition: str
    ) -> str:
        bucket = self._buckets.of(key)
        headers = answered_with(media_type=media_type, disposition=disposition)
        return await self._threads.run(
            partial(signed, self._signer, bucket, key, lifetime, headers)
        )

    async def ping(self) -> None:
        try:
            await self._threads.probe(self._buckets.require, seconds=_PING_SECONDS)
        except TimeoutError as error:
            raise Unavailable(f"S3: no answer in {_PING_SECONDS:.0f} s") from error

    def _calls(self, key: str) -> ObjectCalls:
        return ObjectCalls(self._client, self._buckets.of(key), key, self._guard)

    async def _pieces(self, reading: Reading, first: bytes) -> AsyncGenerator[bytes, None]:
        if first:
            yield first
        while reading.is_open and (piece := await self._threads.run(reading.next)):
            yield piece

    # Below are the steps that block.

    def _stat(self, key: str) -> Object:
        try:
            with s3_errors(key):
                return self._client.stat_object(self._buckets.of(key), key)
        except NotFound:
            self._buckets.require()  # a missing bucket has the same answer to HEAD: nothing
            raise

    def _copy(self, source: str, target: str) -> None:
        found = self._stat(source)
        if source != target:  # S3 refuses to copy an object onto itself
            calls = replace(self._calls(target), guard=_NONE)  # no bytes go on their way
            copying.copy(calls, found, self._location.sizes.copy_bytes)

    def _delete(self, key: str) -> None:
        with suppress(NotFound), s3_errors(key):
            self._client.remove_object(self._buckets.of(key), key)

    def _abort(self, bucket: str, key: str, upload_id: str) -> bool:
        with s3_errors(key):
            return ObjectCalls(self._client, bucket, key, _NONE).abort(upload_id)


def _next(uploads: Iterator[tuple[str, str]], bucket: str) -> tuple[str, str] | None:
    with s3_errors(bucket):
        return next(uploads, None)


def _some(found: Iterator[Object], prefix: str) -> Sequence[Object]:
    with s3_errors(prefix):
        return [*islice(found, _LISTED_AT_ONCE)]


def _info(found: Object) -> BlobInfo:
    """As HEAD and a list both tell it, though a list knows the milliseconds."""
    assert found.last_modified is not None
    at = found.last_modified.astimezone(UTC).replace(microsecond=0)
    return BlobInfo(str(found.object_name), found.size or 0, at + _ONE_SECOND)
