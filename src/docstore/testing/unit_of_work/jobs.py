from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import AlreadyExists, NotFound, StaleVersion
from docstore.domain.file import File
from docstore.domain.findings import Notice, Rendition
from docstore.domain.ids import LeaseToken
from docstore.domain.job import Job
from docstore.domain.lifecycle import JobStatus
from docstore.domain.names import MediaType
from docstore.domain.step import Excerpt, StepResult, StepState
from docstore.domain.user import User
from docstore.testing.builders import A_FAILURE, MOMENT, a_file, a_job, a_purge, a_step, a_user
from docstore.testing.unit_of_work.saving import OnAnEmptyDatabase, save

SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)


STEPS = (
    a_step(
        "text",
        result=StepResult(
            facts={"text": {"words": 2, "preview": "grüße", "ratio": 0.5, "none": None}},
            text=Excerpt(key="files/x/1/text", start=7, size=12),
            renditions=(
                Rendition(
                    name="thumbnail",
                    media_type=MediaType("image/webp"),
                    width=2,
                    height=1,
                    size=99,
                    key="files/x/1/image.rendition.thumbnail",
                ),
            ),
            warnings=(Notice("partial", "the last page is not readable"),),
            media_type=MediaType("text/x-letter"),
        ),
        attempt=3,
        ended_at=MOMENT + TICK,
    ),
    a_step("facts"),
    a_step("broken", state=StepState.FAILED),
    a_step("image", version="2.1", state=StepState.RUNNING),
    a_step("ocr", state=StepState.WAITING),
    a_step("summary", state=StepState.SKIPPED),
)


def claimed(job: Job) -> Job:
    return job.start(now=MOMENT, lease=30 * SECOND, token=LeaseToken(uuid4()), worker="w")


class JobsContract(OnAnEmptyDatabase):
    @pytest.fixture
    async def file(self, begin: Begin, owner: User) -> File:
        """A file already saved."""
        file = a_file(user_id=owner.id)
        await save(begin, file)
        return file

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"status": JobStatus.PROCESSING, "dispatched_at": MOMENT + TICK, "version": 2},
            {"status": JobStatus.COMPLETED, "user_id": None},
            {"status": JobStatus.FAILED, "crash_attempts": 3, "attempts": 5, "releases": 7},
            {"due_at": MOMENT + TICK, "failure": A_FAILURE, "generation": 9},
        ],
        ids=["queued", "processing", "completed", "failed", "to be tried again"],
    )
    async def test_a_job_comes_back_as_it_was(
        self, begin: Begin, file: File, changes: dict[str, object]
    ) -> None:
        job = a_job(file_id=file.id, **changes)
        await save(begin, job)
        async with begin(read_only=True) as tx:
            stored = await tx.jobs.get(job.id)
        assert stored == job
        assert stored.due_at.utcoffset() == timedelta(0)

    async def test_the_steps_of_a_job_come_back_as_they_were(
        self, begin: Begin, file: File
    ) -> None:
        job = a_job(file_id=file.id, status=JobStatus.PROCESSING, steps=STEPS)
        await save(begin, job)
        async with begin() as tx:
            assert (await tx.jobs.get(job.id)).steps == STEPS
            assert (await tx.jobs.of_file(file.id))[0].steps == STEPS
            await tx.jobs.update(replace(job, steps=STEPS[::-1], version=job.version + 1))
            await tx.commit()
        async with begin(read_only=True) as tx:
            assert (await tx.jobs.get(job.id)).steps == STEPS[::-1]

    async def test_a_purge_comes_back_as_it_was(self, begin: Begin) -> None:
        purges = [a_purge(user_id=None), a_purge(payload=("files/ü/", "b", "a"))]
        await save(begin, *purges)
        async with begin(read_only=True) as tx:
            assert [await tx.jobs.get(purge.id) for purge in purges] == purges

    async def test_a_job_that_is_not_there_is_not_found(self, begin: Begin) -> None:
        async with begin(read_only=True) as tx:
            with pytest.raises(NotFound):
                await tx.jobs.get(a_job().id)
            assert await tx.jobs.of_file(a_file().id) == []

    async def test_one_job_of_a_type_and_generation(self, begin: Begin, file: File) -> None:
        first = a_job(file_id=file.id)
        await save(begin, first, a_job(file_id=file.id, generation=2))
        with pytest.raises(AlreadyExists):
            await save(begin, a_job(file_id=file.id))
        with pytest.raises(AlreadyExists):
            await save(begin, a_job(file_id=file.id, generation=3, id=first.id))

    async def test_no_job_without_its_file(self, begin: Begin) -> None:
        with pytest.raises(NotFound):
            await save(begin, a_job())

    async def test_the_jobs_of_a_file_come_newest_first(self, begin: Begin, file: File) -> None:
        jobs = [
            a_job(file_id=file.id, generation=n, queued_at=MOMENT + n * TICK) for n in (2, 1, 3)
        ]
        other = a_file(user_id=file.user_id)
        await save(begin, other, *jobs, a_job(file_id=other.id))
        async with begin(read_only=True) as tx:
            assert await tx.jobs.of_file(file.id) == [jobs[2], jobs[0], jobs[1]]

    async def test_an_update_of_a_job_replaces_the_version_before(
        self, begin: Begin, file: File
    ) -> None:
        job = a_job(file_id=file.id)
        await save(begin, job)
        started = claimed(job)
        async with begin() as tx:
            await tx.jobs.update(started)
            assert await tx.jobs.get(job.id) == started
            await tx.jobs.update(started.succeed(now=MOMENT))
            await tx.commit()
        async with begin(read_only=True) as tx:
            assert await tx.jobs.get(job.id) == started.succeed(now=MOMENT)

    async def test_a_stale_update_of_a_job_changes_nothing(self, begin: Begin, file: File) -> None:
        job = a_job(file_id=file.id)
        late = a_job(file_id=file.id, generation=2)
        await save(begin, job, late)
        started = claimed(job)
        async with begin() as tx:
            await tx.jobs.update(started)
            for stale in (claimed(job), started, job, job.told(MOMENT), claimed(a_job())):
                with pytest.raises(StaleVersion):
                    await tx.jobs.update(stale)
            await tx.jobs.update(late.told(MOMENT))  # the transaction is still usable
            await tx.commit()
        async with begin(read_only=True) as tx:
            assert await tx.jobs.get(job.id) == started
            assert await tx.jobs.get(late.id) == late.told(MOMENT)

    async def test_a_heartbeat_renews_the_lease_and_nothing_else(
        self, begin: Begin, file: File
    ) -> None:
        job = claimed(a_job(file_id=file.id))
        await save(begin, job)
        await heartbeat(begin, job, MOMENT + SECOND)
        done = job.succeed(now=MOMENT)  # it knows nothing of the heartbeat
        async with begin() as tx:
            stored = await tx.jobs.get(job.id)
            assert stored.heartbeat_at == MOMENT + SECOND
            assert stored.lease_until == MOMENT + 31 * SECOND
            assert stored.version == job.version
            await tx.jobs.update(done)
            await tx.commit()
        async with begin(read_only=True) as tx:
            assert await tx.jobs.get(job.id) == done

    async def test_a_heartbeat_needs_the_lease(self, begin: Begin, file: File) -> None:
        queued = a_job(file_id=file.id)
        held = claimed(a_job(file_id=file.id, generation=2))
        done = claimed(a_job(file_id=file.id, generation=3))
        stranger = claimed(a_job(id=held.id))  # another token
        await save(begin, queued, held, done.succeed(now=MOMENT))
        for job in (claimed(queued), stranger, done, claimed(a_job())):
            with pytest.raises(StaleVersion):
                await heartbeat(begin, job, MOMENT + SECOND)
        async with begin(read_only=True) as tx:
            assert await tx.jobs.get(queued.id) == queued
            assert await tx.jobs.get(held.id) == held

    @pytest.mark.parametrize(
        ("changes", "due"),
        [
            ({}, True),
            ({"due_at": MOMENT + TICK}, False),
            ({"dispatched_at": MOMENT - 31 * SECOND}, True),
            ({"dispatched_at": MOMENT - 30 * SECOND - TICK}, True),
            ({"dispatched_at": MOMENT - 30 * SECOND}, False),
            ({"dispatched_at": MOMENT}, False),
            ({"dispatched_at": MOMENT + TICK}, True),
            ({"status": JobStatus.PROCESSING}, False),
            ({"status": JobStatus.COMPLETED}, False),
            ({"status": JobStatus.FAILED}, False),
        ],
    )
    async def test_what_is_due(
        self, begin: Begin, file: File, changes: dict[str, object], due: bool
    ) -> None:
        job = a_job(file_id=file.id, **changes)
        await save(begin, job)
        assert await due_now(begin) == ([job] if due else [])

    async def test_owners_take_turns(self, begin: Begin) -> None:
        busy, quiet = a_user(), a_user()
        turns = [(busy, -9), (busy, -8), (busy, -7), (quiet, -3), (quiet, -2)]
        files = [a_file(user_id=user.id) for user, _ in turns]
        jobs = [
            a_job(file_id=file.id, user_id=user.id, due_at=MOMENT + age * SECOND)
            for file, (user, age) in zip(files, turns, strict=True)
        ]
        purge = a_purge(user_id=None, due_at=MOMENT - 4 * SECOND)
        told = a_purge(user_id=quiet.id, due_at=MOMENT - 9 * SECOND, dispatched_at=MOMENT)
        await save(begin, busy, quiet, *files, *reversed(jobs), purge, told)
        expected = [jobs[0], purge, jobs[3], jobs[1], jobs[4], jobs[2]]
        assert await due_now(begin) == expected
        assert await due_now(begin, limit=3) == expected[:3]


async def heartbeat(begin: Begin, job: Job, now: datetime) -> None:
    assert job.lease_token is not None
    async with begin() as tx:
        await tx.jobs.heartbeat(job.id, job.lease_token, now=now, lease_until=now + 30 * SECOND)
        await tx.commit()


async def due_now(begin: Begin, *, limit: int = 99) -> list[Job]:
    async with begin(read_only=True) as tx:
        told_before = MOMENT - 30 * SECOND
        return list(await tx.jobs.due(MOMENT, told_before=told_before, limit=limit))
