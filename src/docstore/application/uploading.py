import asyncio
import logging
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from docstore.application.metering import Meter
from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.media_types import Sample, TypeSniffer
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import (
    DocstoreError,
    InvalidField,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    TooSlow,
    UnsupportedMediaType,
)
from docstore.domain.file import Details, File
from docstore.domain.ids import FileId, JobId, UserId
from docstore.domain.job import Job
from docstore.domain.keys import staging_key
from docstore.domain.names import FileName, MediaType, file_name, media_type

log = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True)
class Upload:
    """Store the bytes of each part, then record all files and their jobs in one transaction.

    All or nothing. Bytes first: a blob without a record is swept up later, a record without a
    blob would be a lie. What was staged is deleted again when the upload is refused or abandoned,
    but only while no transaction that names it was ever sent.
    """

    begin: Begin
    blobs: BlobStore
    sniffer: TypeSniffer
    new_id: Callable[[], UUID]
    new_key: Callable[[], str]
    policy: UploadPolicy

    async def __call__(
        self,
        *,
        owner: UserId,
        parts: AsyncIterable[Part],
        details: Callable[[], Details] = Details,
    ) -> Sequence[File]:
        """The files, in the order of `parts`. `details` is asked after the last part, since a
        form may send its fields in any order.

        Raises InvalidInput naming the part (`file[1]`, counted from 0), TooSlow, Unavailable.
        """
        staged: list[_Staged] = []
        try:
            began = await self._stage_all(parts, staged)
            said = details()
            self.policy.check_duration(_clock() - began)
        except BaseException:
            await self._discard(*(one.id for one in staged))
            raise
        return await self._record(owner, staged, said)

    async def _stage_all(self, parts: AsyncIterable[Part], staged: list[_Staged]) -> float:
        began = 0.0
        async for part in parts:
            self.policy.check_count(len(staged))
            try:
                staged.append(await self._stage(part))
            except InvalidInput as error:
                error.problems = (_problem_of(len(staged), part.name, error),)
                raise
            began = began or _clock()
        if not staged:
            raise InvalidField(("file", "no file was sent"))
        return began

    async def _stage(self, part: Part) -> _Staged:
        name = file_name(part.name)
        file_id = FileId(self.new_id())
        meter = Meter(part.body, self.policy.max_bytes, "DOCSTORE_MAX_UPLOAD_BYTES", part.digests)
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
        )

    def _identify(self, meter: Meter, name: FileName) -> MediaType:
        if meter.size == 0:
            raise InvalidField(("file", "the file is empty"))
        sample = Sample(head=bytes(meter.head), tail=meter.tail, size=meter.size, name=name)
        found = self.sniffer.sniff(sample)
        self.policy.check_type(found)
        return found

    async def _record(
        self, owner: UserId, staged: Sequence[_Staged], details: Details
    ) -> Sequence[File]:
        sent = False
        try:
            async with self.begin() as tx:
                await tx.users.get(owner)
                now = await tx.now()
                files = [self._file(owner, one, details, now) for one in staged]
                for file in files:
                    await tx.files.add(file)
                    await tx.jobs.add(Job.process(file, id=JobId(self.new_id()), now=now))
                sent = True
                await tx.commit()
        except BaseException as error:
            if not sent:
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


def _problem_of(index: int, name: str, error: InvalidInput) -> tuple[str, str]:
    """Which file of the upload was refused, counted from 0, and why."""
    why = "; ".join(message for _, message in error.problems) or str(error)
    return f"file[{index}]", f"{name[:255]!r}: {why}"


def _clock() -> float:
    """Seconds, of the event loop's clock: it never goes back, and a simulation can drive it."""
    return asyncio.get_running_loop().time()
