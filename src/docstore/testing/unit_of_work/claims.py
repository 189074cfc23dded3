from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from anyio import create_task_group
from anyio.lowlevel import checkpoint

from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import Conflict, NotFound, StaleVersion
from docstore.domain.file import Details, File
from docstore.domain.idempotency import KEPT, Claim, IdempotencyKey
from docstore.domain.ids import LeaseToken
from docstore.domain.keys import staging_key
from docstore.domain.names import FileName, MediaType
from docstore.domain.user import User
from docstore.testing.builders import MOMENT, a_file, a_user
from docstore.testing.unit_of_work.saving import OnAnEmptyDatabase, save

LATER = MOMENT + timedelta(seconds=20)
DAY = timedelta(seconds=KEPT)


def a_claim(user: User, key: str = "key", *, now: datetime = MOMENT) -> Claim:
    return Claim.of(user.id, IdempotencyKey(key), token=LeaseToken(uuid4()), now=now)


def new_file(user: User) -> File:
    """With all that an upload says of a file."""
    file = a_file(
        user_id=user.id,
        original_filename=FileName("naïve \U0001f600.txt"),
        media_type=MediaType("text/plain"),
        declared_media_type=MediaType("text/x-own"),
        size=2**40,
        details=Details(
            title="", description="d\n", tags=("b", "a"), metadata={"n": [1, 2.5, None, {"é": ""}]}
        ),
    )
    return replace(file, storage_path=staging_key(file.id), updated_at=file.uploaded_at)


async def put(begin: Begin, claim: Claim, before: Claim | None = None) -> None:
    async with begin() as tx:
        await tx.claims.put(claim, before=before)
        await tx.commit()


async def found(begin: Begin, claim: Claim) -> Claim | None:
    async with begin(read_only=True) as tx:
        return await tx.claims.find(claim.user_id, claim.key)


class ClaimsContract(OnAnEmptyDatabase):
    async def test_a_claim_is_found_as_it_was_put(self, begin: Begin, owner: User) -> None:
        claim = a_claim(owner)
        assert await found(begin, claim) is None
        await put(begin, claim)
        assert await found(begin, claim) == claim

    async def test_an_answer_is_found_as_it_was_put(self, begin: Begin, owner: User) -> None:
        claim = a_claim(owner)
        await put(begin, claim)
        answered = claim.answered("f" * 64, [new_file(owner), new_file(owner)], now=LATER)
        await put(begin, answered, before=claim)
        assert await found(begin, claim) == answered

    async def test_an_answer_outlives_what_becomes_of_its_files(
        self, begin: Begin, owner: User
    ) -> None:
        claim, file = a_claim(owner), new_file(owner)
        await save(begin, file)
        answered = claim.answered("f", [file], now=LATER)
        await put(begin, answered)
        async with begin() as tx:
            await tx.files.update(file.start(LATER))
            await tx.commit()
        assert await found(begin, claim) == answered
        async with begin() as tx:
            await tx.files.delete(file.id)
            await tx.commit()
        assert await found(begin, claim) == answered

    @pytest.mark.parametrize("key", ["KEY", "key ", "ke", '"key"', "%", "x" * 255])
    async def test_keys_are_told_apart_to_the_letter(
        self, begin: Begin, owner: User, key: str
    ) -> None:
        claim, other = a_claim(owner), a_claim(owner, key)
        await put(begin, claim)
        assert await found(begin, other) is None
        await put(begin, other)
        assert await found(begin, claim) == claim
        assert await found(begin, other) == other

    async def test_a_key_is_one_users(self, begin: Begin, owner: User) -> None:
        other = a_user()
        await save(begin, other)
        claims = [a_claim(owner), a_claim(other)]
        for claim in claims:
            await put(begin, claim)
        assert [await found(begin, claim) for claim in claims] == claims

    async def test_what_is_there_is_not_replaced_unseen(self, begin: Begin, owner: User) -> None:
        claim, other = a_claim(owner), a_claim(owner)
        await put(begin, claim)
        for before in (None, other, claim.answered("f", [], now=LATER)):
            with pytest.raises(StaleVersion):
                await put(begin, other, before=before)
        assert await found(begin, claim) == claim
        await put(begin, other, before=claim)
        assert await found(begin, claim) == other

    async def test_what_is_gone_is_not_replaced(self, begin: Begin, owner: User) -> None:
        claim = a_claim(owner)
        with pytest.raises(StaleVersion):
            await put(begin, claim.renewed(LATER), before=claim)
        assert await found(begin, claim) is None

    async def test_a_renewal_is_no_change_of_hands(self, begin: Begin, owner: User) -> None:
        claim = a_claim(owner)
        await put(begin, claim)
        await put(begin, claim.renewed(LATER), before=claim)
        assert await found(begin, claim) == claim.renewed(LATER)
        await put(begin, claim.answered("f", [], now=LATER), before=claim)

    async def test_an_answer_is_not_taken_back_by_a_late_renewal(
        self, begin: Begin, owner: User
    ) -> None:
        claim = a_claim(owner)
        answered = claim.answered("f", [new_file(owner)], now=LATER)
        await put(begin, claim)
        await put(begin, answered, before=claim)
        with pytest.raises(StaleVersion):
            await put(begin, claim.renewed(LATER), before=claim)
        assert await found(begin, claim) == answered

    async def test_without_the_user_there_is_no_claim(self, begin: Begin) -> None:
        with pytest.raises(NotFound):
            await put(begin, a_claim(a_user()))

    async def test_claims_go_with_their_user(self, begin: Begin, owner: User) -> None:
        other = a_user()
        await save(begin, other)
        gone, kept = a_claim(owner), a_claim(other)
        for claim in (gone, kept):
            await put(begin, claim)
        async with begin() as tx:
            await tx.users.delete(owner.id)
            await tx.commit()
        assert await found(begin, gone) is None
        assert await found(begin, kept) == kept

    async def test_a_key_is_freed_by_who_holds_it(self, begin: Begin, owner: User) -> None:
        claim = a_claim(owner)
        await put(begin, claim)
        strangers = [a_claim(owner), claim.answered("f", [], now=LATER), a_claim(owner, "other")]
        for stranger in strangers:
            async with begin() as tx:
                await tx.claims.delete(stranger)
                await tx.commit()
        assert await found(begin, claim) == claim
        async with begin() as tx:
            await tx.claims.delete(claim.renewed(LATER))
            await tx.commit()
        assert await found(begin, claim) is None

    async def test_an_answer_is_not_freed_by_its_request(self, begin: Begin, owner: User) -> None:
        claim = a_claim(owner)
        answered = claim.answered("f", [], now=LATER)
        await put(begin, answered)
        async with begin() as tx:
            await tx.claims.delete(claim)
            await tx.commit()
        assert await found(begin, claim) == answered

    async def test_what_has_expired_is_forgotten(self, begin: Begin, owner: User) -> None:
        kept = [a_claim(owner, "a"), a_claim(owner, "b").answered("f", [], now=MOMENT)]
        gone = [
            a_claim(owner, "c", now=MOMENT - DAY),
            a_claim(owner, "d").answered("f", [new_file(owner)], now=MOMENT - DAY - DAY),
        ]
        for claim in (*kept, *gone):
            await put(begin, claim)
        async with begin() as tx:
            assert await tx.claims.forget(kept[0].expires_at) == 2
            await tx.commit()
        assert [await found(begin, claim) for claim in (*kept, *gone)] == [*kept, None, None]

    @pytest.mark.parametrize("has_expired", [False, True])
    async def test_of_those_who_claim_a_key_at_once_one_gets_it(
        self, begin: Begin, owner: User, has_expired: bool
    ) -> None:
        before = a_claim(owner) if has_expired else None
        if before is not None:
            await put(begin, before)
        winners: list[Claim] = []

        async def race() -> None:
            claim = a_claim(owner, now=LATER)
            with suppress(Conflict):
                async with begin() as tx:
                    if await tx.claims.find(claim.user_id, claim.key) != before:
                        return
                    await checkpoint()
                    await tx.claims.put(claim, before=before)
                    await checkpoint()
                    await tx.commit()
                winners.append(claim)

        async with create_task_group() as group:
            for _ in range(5):
                group.start_soon(race)
        assert len(winners) == 1
        assert await found(begin, winners[0]) == winners[0]
