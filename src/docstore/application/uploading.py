import asyncio
import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from docstore.application.metering import Meter
from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.media_types import Sample, TypeSniffer
from docstore.application.ports.unit_of_work import Begin, UnitOfWork
from docstore.application.repeating import ClaimKey, Once
from docstore.domain.errors import (
    DocstoreError,
    InProgress,
    InvalidField,
    InvalidInput,
    KeyReused,
    NotAuthenticated,
    NotFound,
    StaleVersion,
    TooSlow,
    UnsupportedMediaType,
)
from docstore.domain.file import Details, File
from docstore.domain.idempotency import Claim
from docstore.domain.ids import FileId, JobId, UserId
from docstore.domain.job import Job
from docstore.domain.keys import staging_key
from docstore.domain.names import FileName, MediaType, file_name, media_type

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file as it arrives."""

    name: str  # as sent; may be anything
    body: AsyncIterable[bytes]
    declared_media_type: str | None = None
    digests: Mapping[str, bytes] = field(default_factory=dict)  # see metering.ALGORITHMS


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPolicy:
    """What is accepted, the same at every entrypoint."""

    max_bytes: int  # of one file
    max_files: int  # of one upload
    allowed_media_types: Sequence[str] = ()  # `image/*` allowed; none: all
    max_duration: timedelta = timedelta(hours=12)
    """From the first staged file to the commit. Half of the sweeper's grace, so that the sweeper
    never takes bytes that an upload is still going to name."""

    def check_count(self, before: int) -> None:
        """Raises InvalidField when one more file after `before` is too many."""
        if before >= self.max_files:
            limit = f"{self.max_files} files, the limit set by DOCSTORE_MAX_UPLOAD_FILES"
            raise InvalidField(("file", f"more than {limit}"))

    def check_duration(self, seconds: float) -> None:
        """Raises TooSlow when the first staged file has waited too long."""
        if seconds > self.max_duration.total_seconds():
            raise TooSlow("the files of one upload took too long; send them one by one")

    def check_type(self, found: MediaType) -> None:
        """Raises UnsupportedMediaType for a type outside the list."""
        family = found.split("/")[0] + "/*"
        if self.allowed_media_types and not {found, family} & set(self.allowed_media_types):
            raise UnsupportedMediaType(f"{found} is not among DOCSTORE_ALLOWED_MEDIA_TYPES")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Staged:
    id: FileId
    name: FileName
    size: int
    sha256: str
    media_type: MediaType
    declared: MediaType
    staged_at: float  # seconds, see `_clock`


@dataclass(frozen=True, slots=True)
class Upload:
    """Store the bytes of each part, then record all files and their jobs in one transaction.

    All or nothing. Bytes first: a blob without a record is swept up later, a record without a
    blob would be a lie. What was staged is deleted again when the upload is refused or abandoned,
    but only while it is certain that no transaction that names it was saved.
    """

    begin: Begin
    blobs: BlobStore
    sniffer: TypeSniffer
    new_id: Callable[[], UUID]
    new_key: Callable[[], str]
    policy: UploadPolicy
    claim: ClaimKey

    async def __call__(
        self,
        *,
        owner: UserId,
        parts: AsyncIterable[Part],
        details: Callable[[], Details] = Details,
        once: Once | None = None,
    ) -> Sequence[File]:
        """The files, in the order of `parts`. `details` is asked after the last part, since a
        form may send its fields in any order. With `once` the same upload, sent again within a
        day, returns the files of the first, as they were then.

        Raises InvalidInput naming the part (`file[1]`, counted from 0), TooSlow, Unavailable;
        InProgress and KeyReused of `once`.
        """
        if once is None:
            return await self._upload(owner, parts, details)
        async with self.claim(owner, once.key) as claim:
            if claim.is_answered:
                return await self._repeat(claim, once, parts, details)
            return await self._upload(owner, parts, details, _Promise(claim, once))

    async def _upload(
        self,
        owner: UserId,
        parts: AsyncIterable[Part],
        details: Callable[[], Details],
        promise: "_Promise | None" = None,
    ) -> Sequence[File]:
        staged: list[_Staged] = []
        try:
            await self._each(parts, self._stage, staged)
            said = details()
            self.policy.check_duration(_clock() - staged[0].staged_at)
        except BaseException:
            await self._discard(*(one.id for one in staged))
            raise
        return await self._record(owner, staged, said, promise)

    async def _repeat(
        self,
        claim: Claim,
        once: Once,
        parts: AsyncIterable[Part],
        details: Callable[[], Details],
    ) -> Sequence[File]:
        """The answer of `claim`, if this is the same request. Nothing is stored."""
        seen: list[tuple[str, str]] = []
        await self._each(parts, self._look_at, seen)
        if once.fingerprint(details(), seen) != claim.fingerprint:
            raise KeyReused
        return claim.files

    async def _each(
        self, parts: AsyncIterable[Part], act: Callable[[Part], Awaitable[T]], done: list[T]
    ) -> None:
        async for part in parts:
            self.policy.check_count(len(done))
            try:
                done.append(await act(part))
            except InvalidInput as error:
                error.problems = (_problem_of(len(done), part.name, error),)
                raise
        if not done:
            raise InvalidField(("file", "no file was sent"))

    async def _stage(self, part: Part) -> _Staged:
        name = file_name(part.name)
        file_id = FileId(self.new_id())
        meter = self._meter(part)
        await self.blobs.put(staging_key(file_id), meter)
        try:
            found = self._identify(meter, name)
        except BaseException:
            await self._discard(file_id)
            raise
        return _Staged(
            id=file_id,
            name=name,
            size=meter.size,
            sha256=meter.sha256,
            media_type=found,
            declared=media_type(part.declared_media_type),
            staged_at=_clock(),
        )

    async def _look_at(self, part: Part) -> tuple[str, str]:
        """The name and the SHA-256 of a part that need not be stored."""
        name = file_name(part.name)
        meter = self._meter(part)
        async for _ in meter:
            pass
        return name, meter.sha256

    def _meter(self, part: Part) -> Meter:
        return Meter(part.body, self.policy.max_bytes, "DOCSTORE_MAX_UPLOAD_BYTES", part.digests)

    def _identify(self, meter: Meter, name: FileName) -> MediaType:
        if meter.size == 0:
            raise InvalidField(("file", "the file is empty"))
        sample = Sample(head=bytes(meter.head), tail=meter.tail, size=meter.size, name=name)
        found = self.sniffer.sniff(sample)
        self.policy.check_type(found)
        return found

    async def _record(
        self,
        owner: UserId,
        staged: Sequence[_Staged],
        details: Details,
        promise: "_Promise | None",
    ) -> Sequence[File]:
        tx: UnitOfWork | None = None
        try:
            tx = self.begin(add_only=promise is None)
            async with tx:
                now = await tx.now()
                files = [self._file(owner, one, details, now) for one in staged]
                # Made before the first is added: from then on others may have to wait.
                jobs = [Job.process(file, id=JobId(self.new_id()), now=now) for file in files]
                for file, job in zip(files, jobs, strict=True):
                    await tx.files.add(file)
                    await tx.jobs.add(job)
                if promise is not None:
                    await promise.keep(tx, files, now)
                await tx.commit()
        except BaseException as error:
            if tx is None or not tx.may_be_saved:
                await self._discard(*(one.id for one in staged))
            if isinstance(error, NotFound):
                raise NotAuthenticated("the account is gone") from error
            raise
        return files

    def _file(self, owner: UserId, staged: _Staged, details: Details, now: datetime) -> File:
        return File(
            id=staged.id,
            user_id=owner,
            original_filename=staged.name,
            size=staged.size,
            sha256=staged.sha256,
            media_type=staged.media_type,
            declared_media_type=staged.declared,
            key=self.new_key(),
            storage_path=staging_key(staged.id),
            uploaded_at=now,
            updated_at=now,
            details=details,
        )

    async def _discard(self, *ids: FileId) -> None:
        # Shielded as a whole: an abandoned request is a cancelled task, cancelled again at each
        # `await` under some servers, and all that it staged must go all the same.
        await asyncio.shield(self._delete(ids))

    async def _delete(self, ids: Sequence[FileId]) -> None:
        for file_id in ids:
            try:
                await self.blobs.delete(staging_key(file_id))
            except DocstoreError as error:
                log.warning("staged bytes of %s are left to the sweeper: %s", file_id, error)


@dataclass(frozen=True, slots=True)
class _Promise:
    """That what is uploaded now will be the answer to the same request, sent again."""

    claim: Claim
    once: Once

    async def keep(self, tx: UnitOfWork, files: Sequence[File], now: datetime) -> None:
        """InProgress when the claim is not ours any more: another may be uploading the same."""
        seen = [(file.original_filename, file.sha256) for file in files]
        fingerprint = self.once.fingerprint(files[0].details, seen)
        try:
            await tx.claims.put(self.claim.answered(fingerprint, files, now=now), before=self.claim)
        except StaleVersion:
            raise InProgress("the Idempotency-Key is held by another request by now") from None


def _problem_of(index: int, name: str, error: InvalidInput) -> tuple[str, str]:
    """Which file of the upload was refused, counted from 0, and why."""
    why = "; ".join(message for _, message in error.problems) or str(error)
    return f"file[{index}]", f"{name[:255]!r}: {why}"


def _clock() -> float:
    """Seconds, of the event loop's clock: it never goes back, and a simulation can drive it."""
    return asyncio.get_running_loop().time()
