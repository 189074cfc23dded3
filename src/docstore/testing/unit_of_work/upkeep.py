from datetime import timedelta

import pytest

from docstore.application.ports.unit_of_work import Backlog, Begin
from docstore.domain.errors import NotFound
from docstore.domain.job import Job
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.user import User
from docstore.testing.builders import MOMENT, a_file, a_job, a_purge
from docstore.testing.unit_of_work.saving import OnAnEmptyDatabase, save

SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
SKEW = timedelta(seconds=60)
WORKERS = ["host-1", "host-1:7", "host-10", "host", "HOST-1", "xhost-1", "höst", "HÖST"]
WORKERS += ["a%b", "a_b", "a\\b", "a*b", "A_B", "axb"]


def held(**changes: object) -> Job:
    return a_purge(status=JobStatus.PROCESSING, **changes)


class UpkeepContract(OnAnEmptyDatabase):
    @pytest.mark.parametrize(
        ("job", "lapsed"),
        [
            (held(lease_until=MOMENT - TICK), True),
            (held(lease_until=MOMENT), False),
            (held(lease_until=MOMENT + 30 * SECOND), False),
            (held(heartbeat_at=MOMENT + SKEW), False),
            (held(heartbeat_at=MOMENT + SKEW + TICK, lease_until=MOMENT + 2 * SKEW), True),
            (a_purge(due_at=MOMENT - SKEW), False),
            (a_purge(status=JobStatus.COMPLETED), False),
        ],
    )
    async def test_what_has_lapsed(self, begin: Begin, job: Job, lapsed: bool) -> None:
        await save(begin, job)
        async with begin(read_only=True) as tx:
            found = await tx.upkeep.lapsed(MOMENT, skew=SKEW, limit=9)
        assert found == ([job] if lapsed else [])

    async def test_lapsed_jobs_come_in_portions(self, begin: Begin) -> None:
        jobs = [held(lease_until=MOMENT - SECOND) for _ in range(3)]
        await save(begin, *jobs)
        async with begin(read_only=True) as tx:
            assert len(await tx.upkeep.lapsed(MOMENT, skew=SKEW, limit=2)) == 2

    async def test_the_backlog(self, begin: Begin) -> None:
        await save(begin, *(a_purge(due_at=MOMENT + n * SECOND) for n in range(-2, 3)))
        await save(begin, held(due_at=MOMENT - 9 * SECOND), held())
        await save(begin, a_purge(status=JobStatus.COMPLETED), a_purge(status=JobStatus.FAILED))
        async with begin(read_only=True) as tx:
            found = await tx.upkeep.backlog(MOMENT)
        first = MOMENT - 2 * SECOND
        assert found == Backlog(queued=5, due=3, processing=2, first_due_at=first)

    async def test_the_backlog_of_nobody(self, begin: Begin) -> None:
        async with begin(read_only=True) as tx:
            found = await tx.upkeep.backlog(MOMENT)
        assert found == Backlog(queued=0, due=0, processing=0, first_due_at=None)

    @pytest.mark.parametrize("prefix", ["host-1", "host-1:", "höst", "a%", "a_", "a\\", "a*", ""])
    async def test_what_a_worker_holds(self, begin: Begin, prefix: str) -> None:
        jobs = [held(worker=name) for name in WORKERS]
        await save(begin, *jobs, a_purge(status=JobStatus.COMPLETED), a_purge())
        async with begin(read_only=True) as tx:
            found = await tx.upkeep.held_by(prefix)
        expected = [name for name in WORKERS if name.startswith(prefix)]
        assert sorted(job.worker or "" for job in found) == sorted(expected)

    @pytest.mark.parametrize("status", list(FileStatus))
    @pytest.mark.parametrize("job", [None, *JobStatus])
    async def test_what_is_stranded(
        self, begin: Begin, owner: User, status: FileStatus, job: JobStatus | None
    ) -> None:
        file = a_file(user_id=owner.id, status=status, generation=2)
        spent = a_job(file_id=file.id, status=JobStatus.FAILED)
        await save(begin, file, spent)
        if job is not None:
            await save(begin, a_job(file_id=file.id, status=job, generation=2))
        async with begin(read_only=True) as tx:
            found = await tx.upkeep.stranded(limit=9)
        is_stranded = not status.is_final and (job is None or not job.is_live)
        assert found == ([file] if is_stranded else [])

    async def test_the_job_of_another_file_helps_none(self, begin: Begin, owner: User) -> None:
        files = [a_file(user_id=owner.id) for _ in range(4)]
        await save(begin, *files, a_job(file_id=files[1].id), a_purge(user_id=owner.id))
        async with begin(read_only=True) as tx:
            found = await tx.upkeep.stranded(limit=9)
            assert sorted(file.id for file in found) == [files[i].id for i in (0, 2, 3)]
            assert len(await tx.upkeep.stranded(limit=2)) == 2

    async def test_old_purges_are_forgotten(self, begin: Begin, owner: User) -> None:
        file = a_file(user_id=owner.id)
        old = {"status": JobStatus.COMPLETED, "completed_at": MOMENT - TICK}
        gone = [a_purge(**old), a_purge(**{**old, "status": JobStatus.FAILED})]
        kept = [
            a_purge(**{**old, "completed_at": MOMENT}),
            a_purge(queued_at=MOMENT - SECOND),
            a_job(file_id=file.id, **old),
        ]
        await save(begin, file, *gone, *kept)
        async with begin() as tx:
            assert await tx.upkeep.forget_purges(MOMENT) == 2
            await tx.commit()
        async with begin() as tx:
            assert await tx.upkeep.forget_purges(MOMENT) == 0
            assert [await tx.jobs.get(job.id) for job in kept] == kept
            for job in gone:
                with pytest.raises(NotFound):
                    await tx.jobs.get(job.id)
