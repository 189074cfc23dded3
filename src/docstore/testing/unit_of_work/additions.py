from collections.abc import Callable, Sequence

import pytest
from anyio import create_task_group

from docstore.application.ports.unit_of_work import Begin, UnitOfWork
from docstore.domain.errors import AlreadyExists, DocstoreError, NotFound
from docstore.domain.file import File
from docstore.domain.job import Job
from docstore.domain.user import User
from docstore.testing.builders import MOMENT, a_file, a_job, a_user
from docstore.testing.unit_of_work.saving import OnAnEmptyDatabase, save, save_in

Entities = Sequence[User | File | Job]


class AdditionsContract(OnAnEmptyDatabase):
    """Transactions that only add."""

    @pytest.fixture
    def adding(self, begin: Begin) -> Begin:
        return _only_adding(begin)

    async def test_what_was_added_is_there(self, begin: Begin, adding: Begin) -> None:
        user = a_user()
        file = a_file(user_id=user.id)
        job = a_job(file_id=file.id, user_id=user.id)
        await save(adding, user, file, job)
        async with begin(read_only=True) as tx:
            assert await tx.users.get(user.id) == user
            assert await tx.files.get(file.id) == file
            assert await tx.jobs.get(job.id) == job

    async def test_what_was_not_committed_was_not_added(self, begin: Begin, adding: Begin) -> None:
        async with adding() as tx:
            await tx.users.add(a_user())
        async with begin(read_only=True) as tx:
            assert await tx.users.all() == []

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            (lambda _: [a_file(user_id=a_user().id)], NotFound),
            (lambda owner: [a_file(user_id=owner.id), a_job(user_id=owner.id)], NotFound),
            (lambda owner: [a_user(), a_user(email=owner.email)], AlreadyExists),
        ],
        ids=["a file of nobody", "a job of no file", "an address that is taken"],
    )
    async def test_a_mistake_is_told_by_the_commit_at_the_latest_and_saves_nothing(
        self,
        begin: Begin,
        adding: Begin,
        owner: User,
        wrong: Callable[[User], Entities],
        error: type[DocstoreError],
    ) -> None:
        unit = adding()
        with pytest.raises(error):
            await save_in(unit, *wrong(owner))
        assert not unit.may_be_saved
        async with begin(read_only=True) as tx:
            assert await tx.users.all() == [owner]
            assert await tx.files.after(None, limit=9) == []

    async def test_a_commit_says_that_something_may_be_saved(
        self, begin: Begin, adding: Begin
    ) -> None:
        for started in (begin(), adding()):
            async with started as tx:
                await tx.users.add(a_user())
                assert not tx.may_be_saved
                await tx.commit()
                assert tx.may_be_saved

    async def test_they_ask_for_nothing_and_change_nothing_that_is_there(
        self, adding: Begin, owner: User
    ) -> None:
        async with adding() as tx:
            with pytest.raises(TypeError):
                await tx.users.get(owner.id)
            with pytest.raises(TypeError):  # else nobody would learn that it was at another version
                await tx.users.update(owner.disable(MOMENT))

    async def test_the_time_is_known(self, adding: Begin) -> None:
        async with adding() as tx:
            assert (await tx.now()).utcoffset() is not None

    async def test_many_at_once_are_each_on_their_own(self, begin: Begin, adding: Begin) -> None:
        saved: list[User] = []
        refused: list[User] = []

        async def add(user: User) -> None:
            try:
                await save(adding, user)
            except AlreadyExists:
                refused.append(user)
            else:
                saved.append(user)

        async with create_task_group() as group:
            for number in range(12):
                group.start_soon(add, a_user(email=f"{number % 9}@example.org"))
        assert len(saved) == 9
        assert len(refused) == 3
        async with begin(read_only=True) as tx:
            found = await tx.users.all()
        assert {user.id for user in found} == {user.id for user in saved}

    async def test_they_run_beside_others(self, begin: Begin, adding: Begin) -> None:
        async with create_task_group() as group:
            for number in range(10):
                group.start_soon(save, (begin, adding)[number % 2], a_user())
        async with begin(read_only=True) as tx:
            assert len(await tx.users.all()) == 10


def _only_adding(begin: Begin) -> Begin:
    def adding(*, read_only: bool = False, add_only: bool = True) -> UnitOfWork:
        return begin(read_only=read_only, add_only=add_only)

    return adding
