"""One use case with one fault in it, and what a new process makes of the remains."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any, Final, cast
from uuid import uuid4

from docstore.application.docstore import Docstore
from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.unit_of_work import Begin, UnitOfWork
from docstore.application.uploading import Part
from docstore.domain.errors import DocstoreError, NotFound
from docstore.domain.file import File
from docstore.domain.ids import FileId, JobId, UserId
from docstore.domain.job import Job
from docstore.domain.keys import AREAS
from docstore.domain.lifecycle import JobStatus
from docstore.domain.user import User
from simulation.assembly import Ports, assemble
from simulation.extractor import STEPS, ByMood, SimulatedExtractor
from simulation.history import History
from simulation.nth_call import Mode, NthCall
from simulation.process import Dead, Process
from simulation.wires import Line, WiredBlobStore, wired_begin

GRACE: Final = timedelta(hours=1)
MOST: Final = 300.0  # seconds that a use case may take
EXCUSES: Final = {
    Mode.FAIL_BEFORE: ("commit", "delete"),
    Mode.FAIL_AFTER: ("commit", "delete", "put"),
    Mode.HANG_UP: ("commit",),
    Mode.HANG_UP_HIDDEN: ("commit",),
    Mode.ABANDON: ("commit",),
}


class Hints:
    """A queue that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[JobId] = []

    async def send(self, job_id: JobId) -> None:
        self.told.append(job_id)

    def consume(self, handle: Callable[[JobId], Awaitable[None]], *, slots: int) -> Any:
        raise NotImplementedError


@dataclass(slots=True)
class Stage:
    """The adapters under test, and a clock that can be put forward."""

    begin: Begin
    blobs: BlobStore
    ahead: timedelta = timedelta(0)
    pace: float = 0.0  # of the parsers; 1 where time is virtual
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STEPS, 1))
    repeated: list[str] = field(default_factory=list)  # steps that were run though they were done

    def docstore(self, name: str, weather: NthCall) -> tuple[Docstore, Hints]:
        line = Line(Process(name), weather)
        hints = Hints()
        ports = Ports(
            begin=wired_begin(line, cast(Begin, self._begin)),
            blobs=WiredBlobStore(line, self.blobs),
            queue=hints,
            extractor=SimulatedExtractor(
                Random(0), pace=self.pace, saw=self._runs, versions=self.versions
            ),
            sniffer=ByMood(),
            new_id=uuid4,
            jitter=lambda: 1.0,
            grace=GRACE,
            name=name,
        )
        return assemble(ports), hints

    async def _runs(self, file_id: FileId, processor: str) -> None:
        async with self.begin(read_only=True) as tx:
            jobs = await tx.jobs.of_file(file_id)
        for step in jobs[0].steps:
            if step.processor == processor and step.is_done:
                self.repeated.append(f"I6: {processor} runs again on {file_id}: {step}")

    def _begin(self, *, read_only: bool = False, add_only: bool = False) -> "Ahead":
        return Ahead(self.begin(read_only=read_only, add_only=add_only), self)


class Ahead:
    """A transaction of a database whose clock is ahead."""

    def __init__(self, unit: UnitOfWork, stage: Stage) -> None:
        self._unit = unit
        self._stage = stage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    async def now(self) -> datetime:
        return await self._unit.now() + self._stage.ahead

    async def __aenter__(self) -> "Ahead":
        await self._unit.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._unit.__aexit__(*error)


@dataclass(slots=True)
class Rehearsal:
    """What was done on a stage, and what its clients know of that."""

    stage: Stage
    owner: UserId
    history: History = field(default_factory=History)
    broken: list[str] = field(default_factory=list)

    # What scenes are made of

    async def upload(self, docstore: Docstore, *bodies: bytes) -> Sequence[File]:
        files = await docstore.upload(owner=self.owner, parts=_parts(bodies))
        self.history.uploaded(self.owner, files, bodies)
        return files

    async def delete(self, docstore: Docstore, file_id: FileId) -> None:
        self.history.deleting[file_id] += 1
        await docstore.delete(owner=self.owner, id=file_id)
        self.history.deleted.add(file_id)

    async def work(self, docstore: Docstore, *, attempts: int = 1) -> None:
        """The next attempts at the only job that is live."""
        for _ in range(attempts):
            (job,) = [job for job in await self.jobs() if job.status.is_live]
            await docstore.background.work(job.id)
            self.stage.ahead += timedelta(minutes=1)

    async def jobs(self) -> Sequence[Job]:
        """All jobs of all files, and the purges that are not done."""
        far = datetime.max.replace(tzinfo=(await self._now()).tzinfo)
        async with self.stage.begin(read_only=True) as tx:
            of_files = [
                await tx.jobs.of_file(file.id) for file in await tx.files.after(None, limit=99)
            ]
            queued = await tx.jobs.due(far - timedelta(1), told_before=far, limit=99)
            held = await tx.upkeep.held_by("")
        found = {job.id: job for jobs in [*of_files, queued, held] for job in jobs}
        return [*found.values()]

    async def _now(self) -> datetime:
        async with self.stage.begin(read_only=True) as tx:
            return await tx.now() + self.stage.ahead

    async def files(self) -> Sequence[File]:
        async with self.stage.begin(read_only=True) as tx:
            return await tx.files.after(None, limit=99)

    async def keys(self) -> set[str]:
        return {blob.key for area in AREAS async for blob in self.stage.blobs.list(area)}

    # After the fault

    async def judge_refusal(self, weather: NthCall) -> None:
        """Of an upload: who was refused, or hung up, leaves neither row nor bytes.

        Unless the transaction that names them was sent, or the store failed too.
        """
        await asyncio.sleep(0.1)  # what is shielded outlives its request by a little
        excused = weather.struck in EXCUSES.get(weather.mode, ())
        is_dead = weather.mode in (Mode.CRASH_BEFORE, Mode.CRASH_AFTER)
        if not excused and not is_dead and not await self.files() and (left := await self.keys()):
            self.broken.append(f"a refused upload left {sorted(left)}")

    async def judge_stop(self, weather: NthCall) -> None:
        """Of a worker: who is asked to stop holds no job afterwards, and no attempt is lost."""
        await asyncio.sleep(0.1)
        if weather.mode in (Mode.HANG_UP, Mode.ABANDON):
            held = [job for job in await self.jobs() if job.status is JobStatus.PROCESSING]
            self.broken += [f"I23: job {job.id} is held by {job.worker}" for job in held]

    async def recover(self, *, sweeps: bool = True) -> None:
        """What other processes do once one is gone: dispatch, take back, work, sweep."""
        docstore, hints = self.stage.docstore("rescuer", NthCall())
        for _ in range(20):
            self.stage.ahead += timedelta(minutes=1)
            await docstore.background.release_expired()
            if await docstore.background.reconcile():
                self.broken.append("I8: a file had no job")
            await docstore.background.dispatch()
            while hints.told:
                await docstore.background.work(hints.told.pop())
            if not any(job.status.is_live for job in await self.jobs()):
                break
        self.stage.ahead += 2 * GRACE
        if sweeps:
            await docstore.background.sweep(grace=GRACE)

    async def judge(self, *, all_or_none: int) -> None:
        """Compare what there is with what was acknowledged. `all_or_none`: files in one upload."""
        docstore, _ = self.stage.docstore("judge", NthCall())
        files = await self.files()
        self.broken += self.stage.repeated
        self.broken += [f"fsck: {f}" async for f in docstore.check(grace=timedelta(0))]
        named = {key for file in files for key in file.blob_keys()}
        if orphans := await self.keys() - named:
            self.broken.append(f"I4: nothing names {sorted(orphans)}")
        self.broken += [f"liveness: {f.id} is {f.status}" for f in files if not f.status.is_final]
        unknown = [file for file in files if file.id not in self.history.acknowledged]
        if len(unknown) not in (0, all_or_none):
            self.broken.append(f"upload: {len(unknown)} of {all_or_none} files are there")
        await self._judge_jobs(files)
        for file_id, promise in self.history.acknowledged.items():
            await self._judge_file(docstore, file_id, promise.sha256)

    async def _judge_jobs(self, files: Sequence[File]) -> None:
        jobs = await self.jobs()
        self.broken += [f"liveness: {job}" for job in jobs if job.status.is_live]
        for file in files:
            ends = [
                j.status for j in jobs if (j.file_id, j.generation) == (file.id, file.generation)
            ]
            expected = JobStatus.COMPLETED if file.failure is None else JobStatus.FAILED
            if ends != [expected]:
                self.broken.append(f"I6: {file.id} is {file.status}, its jobs are {ends}")
            self._judge_steps(file, [job for job in jobs if job.file_id == file.id])

    def _judge_steps(self, file: File, jobs: Sequence[Job]) -> None:
        steps = max(jobs, key=lambda job: job.generation).steps
        if [step.processor for step in steps] != list(STEPS):
            self.broken.append(f"I6: the steps of {file.id} are {steps}")
        done = [step.result for step in steps if step.result is not None]
        if (len(done) == len(STEPS)) is (file.failure is not None):
            self.broken.append(f"I6: {file.id} is {file.status}, its steps are {steps}")
        needed = {key for result in done for key in result.blob_keys()}
        if file.failure is None and not needed <= file.blob_keys():
            self.broken.append(f"I3: {file.id} does not name {needed - file.blob_keys()}")

    async def _judge_file(self, docstore: Docstore, file_id: FileId, digest: str) -> None:
        try:
            readable = await docstore.content(owner=self.owner, id=file_id)
            async with readable.open() as body:
                found = sha256(b"".join([chunk async for chunk in body])).hexdigest()
        except NotFound:
            if not self.history.may_be_gone(file_id, self.owner):
                self.broken.append(f"I1: {file_id} is gone")
            return
        if file_id in self.history.deleted:
            self.broken.append(f"I15: {file_id} is there after its deletion")
        if found != digest:
            self.broken.append(f"I1: {file_id} has other bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`act` is struck by the fault, after `prepare` went well."""

    prepare: Callable[[Rehearsal, Docstore], Awaitable[None]]
    act: Callable[[Rehearsal, Docstore], Awaitable[object]]
    uploads: int = 0  # files that `act` uploads, all or none


async def found(stage: Stage) -> Rehearsal:
    """With an owner."""
    async with stage.begin() as tx:
        user = User(id=UserId(uuid4()), external_id="somebody", created_at=await tx.now())
        await tx.users.add(user)
        await tx.commit()
    return Rehearsal(stage, user.id)


async def strike(rehearsal: Rehearsal, scene: Scene, weather: NthCall) -> None:
    """Run the act under `weather`; whatever it raises is the client's answer."""
    docstore, _ = rehearsal.stage.docstore("actor", weather)
    task = asyncio.ensure_future(_act(rehearsal, scene, docstore))
    weather.victim = task
    await asyncio.wait([task], timeout=MOST)
    if not task.done():
        rehearsal.broken.append("liveness: it does not stop")
        task.cancel()
        return
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, DocstoreError | Dead):
        raise error


async def _act(rehearsal: Rehearsal, scene: Scene, docstore: Docstore) -> None:
    await scene.act(rehearsal, docstore)


async def _parts(bodies: Sequence[bytes]) -> AsyncIterator[Part]:
    for number, body in enumerate(bodies):
        yield Part(name=f"{number}.txt", body=_pieces(body))


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body[:5]
    await asyncio.sleep(0)
    yield body[5:]
