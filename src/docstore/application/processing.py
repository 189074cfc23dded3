import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.processor import Extractor, Findings, Picture
from docstore.application.ports.unit_of_work import Begin, UnitOfWork
from docstore.application.settling import file_of
from docstore.domain.errors import Damaged, DocstoreError
from docstore.domain.extensions import mismatch
from docstore.domain.file import File
from docstore.domain.findings import Json, Notice, Outcome, Rendition
from docstore.domain.ids import FileId
from docstore.domain.job import Job
from docstore.domain.keys import STAGING, artefact_key, original_key, text_key
from docstore.domain.lifecycle import FileStatus
from docstore.domain.names import MediaType

log = logging.getLogger(__name__)

SECTIONS: Final = ("text", "document", "image", "media", "archive")
"""The keys of `extracted` that are there whatever was found, null when it was nothing."""

PIECE: Final = 64 * 1024  # characters of text encoded at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Processed:
    """What an attempt made; not yet in the row."""

    outcome: Outcome
    storage_path: str
    superseded: Sequence[str]  # keys that the row names no more once this is saved


@dataclass(frozen=True, slots=True)
class ProcessFile:
    """The task of a `process` job: read the file, keep what was found, make the bytes permanent.

    What it writes goes to keys of its own generation before the row names them, so an attempt
    that dies leaves nothing that anybody could see.
    """

    begin_unit: Begin
    blobs: BlobStore
    extractor: Extractor

    async def begin(self, tx: UnitOfWork, job: Job) -> None:
        file = await tx.files.get(_file_id(job))
        if file.status is FileStatus.UPLOADED:
            await tx.files.update(file.start(await tx.now()))

    async def run(self, job: Job) -> Processed:
        async with self.begin_unit(read_only=True) as tx:
            file = await tx.files.get(_file_id(job))
        findings = await self._extract(file)
        outcome = Outcome(
            extracted=_extracted(file, findings),
            text_key=await self._keep_text(file, job, findings),
            renditions=[
                await self._keep_picture(file, job, picture)
                for found in findings
                for picture in found.pictures
            ],
            warnings=_warnings(file, findings),
            media_type=_refined(findings),
        )
        path = await self._make_permanent(file, job)
        kept = {path, outcome.text_key, *(r.key for r in outcome.renditions)}
        return Processed(
            outcome=outcome, storage_path=path, superseded=sorted(file.blob_keys() - kept)
        )

    async def settle(self, tx: UnitOfWork, job: Job, result: Processed) -> None:
        if (file := await file_of(tx, job)) is not None:
            await tx.files.update(
                file.succeed(result.outcome, storage_path=result.storage_path, now=await tx.now())
            )

    async def tidy(self, result: Processed) -> None:
        for key in result.superseded:
            try:
                await self.blobs.delete(key)
            except DocstoreError as error:
                log.warning("%s is left to the sweeper: %s", key, error)

    async def _extract(self, file: File) -> Sequence[Findings]:
        async with self.blobs.open(file.storage_path) as body:
            return await self.extractor.extract(file, verified(body, file))

    async def _keep_text(self, file: File, job: Job, findings: Sequence[Findings]) -> str | None:
        texts = [found.text for found in findings if found.text is not None]
        if not texts:
            return None
        key = text_key(file.id, job.generation)
        await self.blobs.put(key, _encoded("\n".join(texts)))
        return key

    async def _keep_picture(self, file: File, job: Job, picture: Picture) -> Rendition:
        key = artefact_key(file.id, job.generation, picture.name)
        await self.blobs.put(key, _once(picture.data))
        return Rendition(
            name=picture.name,
            media_type=picture.media_type,
            width=picture.width,
            height=picture.height,
            size=len(picture.data),
            key=key,
        )

    async def _make_permanent(self, file: File, job: Job) -> str:
        if not file.storage_path.startswith(STAGING):
            return file.storage_path
        key = original_key(file.id, job.generation)
        await self.blobs.copy(file.storage_path, key)
        return key


async def verified(body: AsyncIterator[bytes], file: File) -> AsyncIterator[bytes]:
    """The body as it is; at its end Damaged, unless these were the bytes of the upload."""
    digest, size = sha256(), 0
    async for chunk in body:
        digest.update(chunk)
        size += len(chunk)
        yield chunk
    if size != file.size or digest.hexdigest() != file.sha256:
        raise Damaged(f"the stored bytes of {file.id} are not those of the upload")


def _file_id(job: Job) -> FileId:
    assert job.file_id is not None, "a process job names its file"
    return job.file_id


def _extracted(file: File, findings: Sequence[Findings]) -> Mapping[str, Json]:
    facts: dict[str, Json] = {
        "checksums": {"sha256": file.sha256},
        "media_type": _refined(findings) or file.media_type,
        **dict.fromkeys(SECTIONS),
    }
    for found in findings:
        facts.update({key: value for key, value in found.facts.items() if value is not None})
    return facts


def _warnings(file: File, findings: Sequence[Findings]) -> Sequence[Notice]:
    noticed = mismatch(file.original_filename, _refined(findings) or file.media_type)
    found = [warning for one in findings for warning in one.warnings]
    return found if noticed is None else [noticed, *found]


def _refined(findings: Sequence[Findings]) -> MediaType | None:
    return next((found.media_type for found in findings if found.media_type), None)


async def _encoded(text: str) -> AsyncIterator[bytes]:
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE].encode("utf-8", errors="replace")


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
