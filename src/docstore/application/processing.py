import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from docstore.application.artefacts import Artefacts
from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.extractor import Extractor
from docstore.application.ports.processor import Findings
from docstore.application.ports.unit_of_work import Begin, UnitOfWork
from docstore.application.settling import file_of
from docstore.application.tasks import Change, Keep
from docstore.domain.errors import Damaged, DocstoreError, NotFound
from docstore.domain.extensions import mismatch
from docstore.domain.file import File
from docstore.domain.findings import Json, Notice, Outcome
from docstore.domain.ids import FileId
from docstore.domain.job import Job
from docstore.domain.keys import STAGING, original_key
from docstore.domain.lifecycle import FileStatus
from docstore.domain.names import MediaType
from docstore.domain.step import Step, StepResult, StepState, running

log = logging.getLogger(__name__)

SECTIONS: Final = ("text", "document", "image", "media", "archive")
"""The keys of `extracted` that are there whatever was found, null when it was nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Processed:
    """What an attempt made; not yet in the rows."""

    outcome: Outcome
    results: Mapping[str, StepResult]  # of all steps, as they are kept
    log: str  # of the last step
    storage_path: str
    superseded: Sequence[str]  # keys that the row names no more once this is saved


@dataclass(frozen=True, slots=True)
class ProcessFile:
    """The task of a `process` job: run its steps, keep what they found, make the bytes permanent.

    What it writes goes to keys of its own generation before a row names them, so an attempt that
    dies leaves nothing that anybody could see. Between two steps the result of the first is saved,
    so that whatever happens then does not make it run again. That of the last is saved with the
    outcome: a file with a single step costs no transaction more.
    """

    begin_unit: Begin
    blobs: BlobStore
    extractor: Extractor

    async def begin(self, tx: UnitOfWork, job: Job) -> Job:
        now = job.started_at
        assert now is not None, "it is claimed just now"
        file = await tx.files.get(_file_id(job))
        job = job.planned(self.extractor.plan(file.media_type), now=now)
        await tx.jobs.update(job)
        if file.status is FileStatus.UPLOADED:
            await tx.files.update(file.start(now))
        return job

    async def run(self, job: Job, keep: Keep) -> Processed:
        async with self.begin_unit(read_only=True) as tx:
            file = await tx.files.get(_file_id(job))
        artefacts = Artefacts(self.blobs, file.id, job.generation)
        carried = await _adopted(artefacts, job)
        if lost := {step.processor for step in job.steps if step.is_done} - carried.keys():
            job = await keep(lambda job, now: job.steps_lost(lost, now=now))
        found, line = await self._read(file, artefacts, job, keep)
        return await self._processed(file, artefacts, job, {**carried, **found}, line)

    async def settle(self, tx: UnitOfWork, job: Job, result: Processed) -> None:
        now = await tx.now()
        job = job.concluded(result.results, result.log, now=now)
        await tx.jobs.update(job.succeed(now=now))
        if (file := await file_of(tx, job)) is not None:
            await tx.files.update(
                file.succeed(result.outcome, storage_path=result.storage_path, now=now)
            )

    async def tidy(self, result: Processed) -> None:
        for key in result.superseded:
            try:
                await self.blobs.delete(key)
            except DocstoreError as error:
                log.warning("%s is left to the sweeper: %s", key, error)

    async def _read(
        self, file: File, artefacts: Artefacts, job: Job, keep: Keep
    ) -> tuple[Mapping[str, StepResult], str]:
        """Run what is to be run; the results, and what is to be logged of the last, which alone
        is not saved yet."""
        results: dict[str, StepResult] = {}
        if (step := running(job.steps)) is None:
            return results, ""
        async with (
            self.blobs.open(file.storage_path) as body,
            self.extractor.reading(file, verified(body, file)) as reading,
        ):
            while True:
                findings = await reading.run(step.processor)
                result = await artefacts.keep(step.processor, findings)
                results[step.processor] = result
                if not any(each.state is StepState.WAITING for each in job.steps):
                    return results, told(findings)
                job = await keep(_done(result, told(findings)))
                step = _running(job)

    async def _processed(
        self,
        file: File,
        artefacts: Artefacts,
        job: Job,
        found: Mapping[str, StepResult],
        line: str,
    ) -> Processed:
        ordered = {step.processor: found[step.processor] for step in job.steps}
        text, results = await artefacts.join(_without_doubles(ordered))
        outcome = _outcome(file, [*results.values()], text)
        path = await self._make_permanent(file, job)
        return Processed(
            outcome=outcome,
            results=results,
            log=line,
            storage_path=path,
            superseded=sorted((file.blob_keys() | _keys(ordered)) - _keys(results) - {path}),
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


def told(findings: Findings) -> str:
    """What was found, in a line."""
    found = [f"{each.name} of {each.width} x {each.height}" for each in findings.pictures]
    if findings.text is not None:
        found.insert(0, f"a text of {len(findings.text)} characters")
    if facts := [name for name, fact in findings.facts.items() if fact is not None]:
        found.append(f"facts about {', '.join(facts)}")
    found += [f"warning {warning.code}" for warning in findings.warnings]
    return "; ".join(found) or "nothing"


async def _adopted(artefacts: Artefacts, job: Job) -> Mapping[str, StepResult]:
    """The results of the steps that are done, but for those whose artefacts are gone."""
    results: dict[str, StepResult] = {}
    for name, result in _results(job.steps).items():
        with suppress(NotFound):
            here = artefacts.has(result)
            results[name] = result if here else await artefacts.adopt(name, result)
    return results


def _results(steps: Sequence[Step]) -> Mapping[str, StepResult]:
    return {step.processor: step.result for step in steps if step.result is not None}


def _done(result: StepResult, line: str) -> Change:
    return lambda job, now: job.step_done(result, line, now=now)


def _running(job: Job) -> Step:
    step = running(job.steps)
    assert step is not None, "one that waited was begun"
    return step


def _file_id(job: Job) -> FileId:
    assert job.file_id is not None, "a process job names its file"
    return job.file_id


def _keys(results: Mapping[str, StepResult]) -> frozenset[str]:
    return frozenset(key for result in results.values() for key in result.blob_keys())


def _without_doubles(results: Mapping[str, StepResult]) -> Mapping[str, StepResult]:
    """Of pictures with the same name only the last, as readers will find it."""
    last = {r.name: name for name, result in results.items() for r in result.renditions}
    return {
        name: replace(
            result, renditions=tuple([r for r in result.renditions if last[r.name] == name])
        )
        for name, result in results.items()
    }


def _outcome(file: File, results: Sequence[StepResult], text_key: str | None) -> Outcome:
    refined = next((each.media_type for each in results if each.media_type), None)
    return Outcome(
        extracted=_extracted(file, results, refined),
        text_key=text_key,
        renditions=[rendition for each in results for rendition in each.renditions],
        warnings=_warnings(file, results, refined),
        media_type=refined,
    )


def _extracted(
    file: File, results: Sequence[StepResult], refined: MediaType | None
) -> Mapping[str, Json]:
    facts: dict[str, Json] = {
        "checksums": {"sha256": file.sha256},
        "media_type": refined or file.media_type,
        **dict.fromkeys(SECTIONS),
    }
    for found in results:
        facts.update({key: value for key, value in found.facts.items() if value is not None})
    return facts


def _warnings(
    file: File, results: Sequence[StepResult], refined: MediaType | None
) -> Sequence[Notice]:
    noticed = mismatch(file.original_filename, refined or file.media_type)
    found = [warning for one in results for warning in one.warnings]
    return found if noticed is None else [noticed, *found]
