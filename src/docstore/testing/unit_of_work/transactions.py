from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from anyio import create_task_group
from anyio.lowlevel import checkpoint

from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import Conflict, NotFound
from docstore.domain.file import File
from docstore.domain.ids import LeaseToken
from docstore.domain.job import Job
from docstore.domain.listing import ALL_FILES
from docstore.domain.user import User
from docstore.testing.builders import MOMENT, a_file, a_purge, a_user
from docstore.testing.unit_of_work.saving import OnAnEmptyDatabase, save

LEASE = timedelta(seconds=30)


class TransactionsContract(OnAnEmptyDatabase):
    async def test_without_a_commit_nothing_changes(self, begin: Begin, owner: User) -> None:
        kept, purge = a_file(user_id=owner.id), a_purge()
        await save(begin, kept, purge)
        async with begin() as tx:
            await tx.users.add(a_user())
            await tx.files.delete(kept.id)
            await tx.jobs.update(purge.told(MOMENT))
        async with begin() as tx:
            assert await tx.users.all() == [owner]
            assert await tx.files.get(kept.id) == kept
            assert await tx.jobs.get(purge.id) == purge

    async def test_an_error_inside_rolls_back_and_passes_through(self, begin: Begin) -> None:
        async def fail() -> None:
            async with begin() as tx:
                await tx.users.add(a_user())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        async with begin(read_only=True) as tx:
            assert await tx.users.all() == []

    async def test_what_follows_the_commit_is_not_kept(self, begin: Begin, owner: User) -> None:
        async with begin() as tx:
            await tx.users.update(owner.disable(MOMENT))
            await tx.commit()
            with suppress(Exception):  # it may also be refused
                await tx.users.add(a_user())
        async with begin(read_only=True) as tx:
            assert await tx.users.all() == [owner.disable(MOMENT)]

    async def test_it_sees_its_own_changes(self, begin: Begin, owner: User) -> None:
        file = a_file(user_id=owner.id)
        async with begin() as tx:
            await tx.files.add(file)
            await tx.files.update(file.start(MOMENT))
            assert await tx.files.get(file.id) == file.start(MOMENT)
            assert (await tx.files.page(owner.id, offset=0, limit=9)).total == 1
            await tx.users.delete(owner.id)
            with pytest.raises(NotFound):
                await tx.files.get(file.id)

    async def test_a_reader_runs_beside_a_writer_and_sees_what_is_committed(
        self, begin: Begin, owner: User
    ) -> None:
        disabled = owner.disable(MOMENT)
        async with begin() as writer:
            await writer.users.update(disabled)
            async with begin(read_only=True) as reader:
                assert await reader.users.get(owner.id) == owner
            await writer.commit()
            async with begin(read_only=True) as reader:
                assert await reader.users.get(owner.id) == disabled

    async def test_a_reader_changes_nothing(self, begin: Begin, owner: User) -> None:
        with suppress(Exception):  # whatever a database says to a mistake of ours
            async with begin(read_only=True) as tx:
                await tx.users.delete(owner.id)
                await tx.commit()
        async with begin(read_only=True) as tx:
            assert await tx.users.all() == [owner]

    async def test_of_those_who_update_one_row_one_wins(self, begin: Begin) -> None:
        job = a_purge()
        await save(begin, job)
        winners: list[Job] = []
        losers: list[str] = []

        async def claim(worker: str) -> None:
            token = LeaseToken(uuid4())
            started = job.start(now=MOMENT, lease=LEASE, token=token, worker=worker)
            try:
                async with begin() as tx:
                    await checkpoint()
                    await tx.jobs.update(started)
                    await checkpoint()
                    await tx.commit()
            except Conflict:
                losers.append(worker)
            else:
                winners.append(started)

        async with create_task_group() as group:
            for worker in "abcde":
                group.start_soon(claim, worker)
        assert len(winners) == 1
        assert len(losers) == 4
        async with begin(read_only=True) as tx:
            assert await tx.jobs.get(job.id) == winners[0]

    async def test_no_update_is_lost(self, begin: Begin, owner: User) -> None:
        async def rehash(name: str) -> None:
            while True:
                with suppress(Conflict):
                    async with begin() as tx:
                        user = await tx.users.get(owner.id)
                        await checkpoint()
                        await tx.users.update(user.rehashed(f"{user.password_hash or ''}{name}"))
                        await checkpoint()
                        await tx.commit()
                        return

        async with create_task_group() as group:
            for name in "abcde":
                group.start_soon(rehash, name)
        async with begin(read_only=True) as tx:
            user = await tx.users.get(owner.id)
        assert sorted(user.password_hash or "") == list("abcde")
        assert user.version == owner.version + 5

    async def test_one_email_makes_one_user(self, begin: Begin) -> None:
        names: list[str] = []

        async def register(name: str) -> None:
            with suppress(Conflict):
                async with begin() as tx:
                    await tx.users.add(a_user(email="one@example.org", external_id=name))
                    await checkpoint()
                    await tx.commit()
                names.append(name)

        async with create_task_group() as group:
            for name in "abc":
                group.start_soon(register, name)
        async with begin(read_only=True) as tx:
            assert [user.external_id for user in await tx.users.all()] == names

    async def test_no_file_outlives_an_owner_deleted_meanwhile(
        self, begin: Begin, owner: User
    ) -> None:
        async def delete() -> None:
            async with begin() as tx:
                await checkpoint()
                await tx.users.delete(owner.id)
                await tx.commit()

        async def upload() -> None:
            with suppress(NotFound, Conflict):
                async with begin() as tx:
                    await tx.files.add(a_file(user_id=owner.id))
                    await checkpoint()
                    await checkpoint()
                    await tx.commit()

        async with create_task_group() as group:
            group.start_soon(delete)
            group.start_soon(upload)
        async with begin(read_only=True) as tx:
            assert await tx.files.after(None, limit=9) == []

    async def test_jobs_are_locked_as_they_are_now(self, begin: Begin) -> None:
        jobs = [a_purge() for _ in range(3)]
        await save(begin, *jobs)
        told = jobs[1].told(MOMENT)
        async with begin() as tx:
            await tx.jobs.update(told)
            await tx.commit()
        async with begin() as tx:
            found = await tx.jobs.lock([jobs[1].id, a_purge().id, jobs[0].id, jobs[1].id])
            assert sorted(found, key=lambda job: job.id) == [jobs[0], told]
            assert await tx.jobs.lock([]) == []

    async def test_of_those_who_take_a_batch_each_gets_other_jobs(self, begin: Begin) -> None:
        jobs = [a_purge() for _ in range(10)]
        await save(begin, *jobs)
        told: list[Job] = []

        async def tell(batch: Sequence[Job]) -> None:
            with suppress(Conflict):
                async with begin() as tx:
                    free = await tx.jobs.lock([job.id for job in batch])
                    await checkpoint()
                    mine = [job.told(MOMENT) for job in free if job.dispatched_at is None]
                    for job in mine:
                        await tx.jobs.update(job)
                        await checkpoint()
                    await tx.commit()
                told.extend(mine)

        async with create_task_group() as group:
            for batch in (jobs, jobs[::-1], jobs[5:], jobs):
                group.start_soon(tell, batch)
        assert len({job.id for job in told}) == len(told) > 0
        async with begin(read_only=True) as tx:
            assert [await tx.jobs.get(job.id) for job in told] == told

    async def test_no_file_comes_while_its_owner_is_locked(self, begin: Begin, owner: User) -> None:
        seen: list[File] = []
        added: list[File] = []

        async def delete() -> None:
            with suppress(Conflict):
                async with begin() as tx:
                    await tx.users.lock(owner.id)
                    await checkpoint()
                    seen[:] = await tx.files.listed(owner.id, ALL_FILES, limit=99)
                    await checkpoint()
                    await tx.users.delete(owner.id)
                    await checkpoint()
                    await tx.commit()
                    return
            seen[:] = added  # nothing was deleted

        async def upload() -> None:
            file = a_file(user_id=owner.id)
            with suppress(NotFound, Conflict):
                async with begin() as tx:
                    await tx.files.add(file)
                    await checkpoint()
                    await tx.commit()
                added.append(file)

        async with create_task_group() as group:
            for task in (upload, delete, upload, upload):
                group.start_soon(task)
        assert {file.id for file in added} <= {file.id for file in seen}

    async def test_who_is_not_there_cannot_be_locked(self, begin: Begin) -> None:
        async with begin() as tx:
            with pytest.raises(NotFound):
                await tx.users.lock(a_user().id)

    async def test_the_time_is_aware_and_in_utc(self, begin: Begin) -> None:
        async with begin(read_only=True) as tx:
            assert (await tx.now()).utcoffset() == timedelta(0)
