from datetime import timedelta

import pytest

from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import AlreadyExists, NotFound, StaleVersion
from docstore.domain.ids import UserId
from docstore.domain.names import Email
from docstore.domain.user import User
from docstore.testing.builders import MOMENT, a_file, a_job, a_purge, a_user
from docstore.testing.unit_of_work.saving import OnAnEmptyDatabase, save

NOBODY = a_user()


class UsersContract(OnAnEmptyDatabase):
    @pytest.mark.parametrize(
        "user",
        [
            a_user(),
            a_user(email=None, external_id="their-id"),
            a_user(
                external_id="Ünïcode ✓",
                password_hash="$argon2id$v=19$…",
                disabled_at=MOMENT + timedelta(microseconds=1),
                token_version=7,
                version=3,
            ),
        ],
        ids=["by e-mail", "by external id", "everything"],
    )
    async def test_a_user_comes_back_as_it_was(self, begin: Begin, user: User) -> None:
        await save(begin, user)
        async with begin(read_only=True) as tx:
            assert await tx.users.get(user.id) == user

    async def test_a_user_is_found_by_email_and_by_external_id(self, begin: Begin) -> None:
        user = a_user(external_id="their-id")
        await save(begin, a_user(), user, a_user(external_id="Their-Id"))
        assert user.email is not None
        async with begin(read_only=True) as tx:
            assert await tx.users.by_email(user.email) == user
            assert await tx.users.by_external_id("their-id") == user

    async def test_whom_nobody_knows_is_not_found(self, begin: Begin, owner: User) -> None:
        async with begin(read_only=True) as tx:
            with pytest.raises(NotFound):
                await tx.users.get(NOBODY.id)
            with pytest.raises(NotFound):
                await tx.users.by_email(Email("nobody@example.org"))
            with pytest.raises(NotFound):
                await tx.users.by_external_id("nobody")

    @pytest.mark.parametrize("taken", ["id", "email", "external_id"])
    async def test_what_another_user_has_is_taken(self, begin: Begin, taken: str) -> None:
        user = a_user(external_id="their-id")
        await save(begin, user)
        with pytest.raises(AlreadyExists):
            await save(begin, a_user(**{taken: getattr(user, taken)}))
        async with begin(read_only=True) as tx:
            assert await tx.users.all() == [user]

    async def test_many_may_be_without_an_email_or_an_external_id(self, begin: Begin) -> None:
        strangers = [a_user(email=None, external_id=name) for name in ("a", "b")]
        await save(begin, a_user(), a_user(), *strangers)
        async with begin(read_only=True) as tx:
            assert len(await tx.users.all()) == 4

    async def test_all_users_come_in_the_order_of_creation(self, begin: Begin) -> None:
        ages = [2, 0, 1]
        users = [a_user(created_at=MOMENT + timedelta(microseconds=age)) for age in ages]
        await save(begin, *users)
        async with begin(read_only=True) as tx:
            assert await tx.users.all() == [users[1], users[2], users[0]]

    async def test_an_update_of_a_user_replaces_the_version_before(
        self, begin: Begin, owner: User
    ) -> None:
        async with begin() as tx:
            await tx.users.update(owner.with_password("hash"))
            await tx.commit()
        async with begin(read_only=True) as tx:
            assert await tx.users.get(owner.id) == owner.with_password("hash")

    async def test_a_stale_update_of_a_user_changes_nothing(
        self, begin: Begin, owner: User
    ) -> None:
        second = owner.with_password("second")
        async with begin() as tx:
            await tx.users.update(second)
            for stale in (second, owner, owner.disable(MOMENT), second.enable().enable(), NOBODY):
                with pytest.raises(StaleVersion):
                    await tx.users.update(stale)
            assert await tx.users.get(owner.id) == second
            await tx.commit()
        async with begin(read_only=True) as tx:
            assert await tx.users.get(owner.id) == second

    async def test_deleting_a_user_takes_the_files_and_their_jobs_along(
        self, begin: Begin, owner: User
    ) -> None:
        gone = a_file(user_id=owner.id)
        gone_job = a_job(file_id=gone.id, user_id=owner.id)
        purge = a_purge(user_id=owner.id)
        other = a_user()
        kept = a_file(user_id=other.id)
        kept_job = a_job(file_id=kept.id, user_id=other.id)
        await save(begin, other, gone, kept, gone_job, kept_job, purge)
        async with begin() as tx:
            await tx.users.delete(owner.id)
            await tx.commit()
        async with begin(read_only=True) as tx:
            assert await tx.users.all() == [other]
            assert await tx.files.after(None, limit=9) == [kept]
            assert await tx.jobs.get(kept_job.id) == kept_job
            assert await tx.jobs.get(purge.id) == purge
            with pytest.raises(NotFound):
                await tx.jobs.get(gone_job.id)

    async def test_who_is_not_there_cannot_be_deleted(self, begin: Begin) -> None:
        async with begin() as tx:
            with pytest.raises(NotFound):
                await tx.users.delete(UserId(NOBODY.id))
