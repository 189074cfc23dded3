from datetime import timedelta

import pytest

from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import AlreadyExists, NotFound, StaleVersion
from docstore.domain.file import Details, File
from docstore.domain.findings import Json, Notice, Outcome, Rendition
from docstore.domain.lifecycle import FileStatus
from docstore.domain.names import MediaType
from docstore.domain.user import User
from docstore.domain.versions import Versions
from docstore.testing.builders import A_FAILURE, MOMENT, a_file, a_job, a_purge, a_user
from docstore.testing.unit_of_work.saving import OnAnEmptyDatabase, save

LATER = MOMENT + timedelta(days=1, microseconds=1)

VALUES: Json = {
    "text": "Ünïcode ✓ \U0001f600 \ud800 \\ \" ' % _",
    "numbers": [0, -1, 2**63, 10**30, 0.1, 1e-300],
    "others": [None, True, False, {}, [], {"": {"deep": [[]]}}],
}

EVERYTHING = {
    "original_filename": "Brief „Ü“ \u200d.txt",
    "size": 2**40,
    "declared_media_type": MediaType("text/x-declared"),
    "processed_at": LATER,
    "updated_at": LATER + timedelta(microseconds=1),
    "details": Details(
        title="T\n'; --", description="", tags=("b", "a", "b"), metadata={"k": [1, None]}
    ),
    "status": FileStatus.PROCESSED,
    "generation": 3,
    "extracted": VALUES,
    "text_key": "files/x/3/text",
    "renditions": tuple(
        Rendition(
            name=name,
            media_type=MediaType("image/webp"),
            width=2**31,
            height=1,
            size=2**40,
            key=f"files/x/3/{name}",
        )
        for name in ("thumbnail", "preview")
    ),
    "warnings": (Notice("truncated", "only the beginning"), Notice("partial", "")),
    "version": 12,
}


class FilesContract(OnAnEmptyDatabase):
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            EVERYTHING,
            {"size": 0, "extracted": {}},
            {"status": FileStatus.FAILED, "failure": A_FAILURE},
        ],
        ids=["plain", "everything", "empty", "failed"],
    )
    async def test_a_file_comes_back_as_it_was(
        self, begin: Begin, owner: User, changes: dict[str, object]
    ) -> None:
        file = a_file(user_id=owner.id, **changes)
        await save(begin, file)
        async with begin(read_only=True) as tx:
            stored = await tx.files.get(file.id)
        assert stored == file
        assert stored.uploaded_at.utcoffset() == timedelta(0)

    async def test_a_file_that_is_not_there_is_not_found(self, begin: Begin, owner: User) -> None:
        file = a_file(user_id=owner.id)
        async with begin() as tx:
            with pytest.raises(NotFound):
                await tx.files.get(file.id)
            with pytest.raises(NotFound):
                await tx.files.delete(file.id)

    @pytest.mark.parametrize("taken", ["id", "key"])
    async def test_what_another_file_has_is_taken(
        self, begin: Begin, owner: User, taken: str
    ) -> None:
        file = a_file(user_id=owner.id)
        await save(begin, file)
        with pytest.raises(AlreadyExists):
            await save(begin, a_file(user_id=owner.id, **{taken: getattr(file, taken)}))

    async def test_no_file_without_its_owner(self, begin: Begin) -> None:
        with pytest.raises(NotFound):
            await save(begin, a_file())

    async def test_an_owner_finds_it_by_id_and_by_key(self, begin: Begin, owner: User) -> None:
        file = a_file(user_id=owner.id)
        await save(begin, a_file(user_id=owner.id), file)
        async with begin(read_only=True) as tx:
            assert await tx.files.owned(owner.id, id=file.id) == file
            assert await tx.files.owned(owner.id, key=file.key) == file

    async def test_nobody_else_finds_it(self, begin: Begin, owner: User) -> None:
        other = a_user()
        file = a_file(user_id=owner.id)
        await save(begin, other, file)
        async with begin(read_only=True) as tx:
            with pytest.raises(NotFound):
                await tx.files.owned(other.id, id=file.id)
            with pytest.raises(NotFound):
                await tx.files.owned(other.id, key=file.key)
            page = await tx.files.page(other.id, offset=0, limit=9)
        assert (list(page.items), page.total) == ([], 0)

    @pytest.mark.parametrize("ask", ["id", "key"])
    async def test_an_owner_does_not_find_what_is_not_there(
        self, begin: Begin, owner: User, ask: str
    ) -> None:
        await save(begin, a_file(user_id=owner.id))
        gone = a_file(user_id=owner.id)
        async with begin(read_only=True) as tx:
            with pytest.raises(NotFound):
                await tx.files.owned(owner.id, **{ask: getattr(gone, ask)})

    async def test_nothing_has_a_key_with_a_nul(self, begin: Begin, owner: User) -> None:
        async with begin(read_only=True) as tx:
            with pytest.raises(NotFound):
                await tx.files.owned(owner.id, key="a\x00b")

    async def test_find_gives_those_that_exist(self, begin: Begin, owner: User) -> None:
        files = [a_file(user_id=owner.id) for _ in range(3)]
        await save(begin, *files)
        async with begin(read_only=True) as tx:
            found = await tx.files.find([files[2].id, a_file().id, files[0].id, files[0].id])
            assert sorted(file.id for file in found) == [files[0].id, files[2].id]
            assert await tx.files.find([]) == []

    async def test_find_takes_thousands_of_ids(self, begin: Begin, owner: User) -> None:
        files = [a_file(user_id=owner.id) for _ in range(5)]
        await save(begin, *files)
        strangers = [a_file().id for _ in range(1_995)]
        ids = [files[0].id, *strangers[:1_000], files[1].id, *strangers[1_000:]]
        async with begin(read_only=True) as tx:
            found = await tx.files.find([*ids, *(file.id for file in files[2:])])
        assert sorted(found, key=lambda file: file.id) == files

    async def test_pages_go_from_new_to_old(self, begin: Begin, owner: User) -> None:
        ages = [1, 3, 1, 0, 2, 1]  # equal ones go by their ids
        files = [
            a_file(user_id=owner.id, uploaded_at=MOMENT + timedelta(microseconds=age))
            for age in ages
        ]
        other = a_user()
        await save(begin, other, *files, a_file(user_id=other.id))
        expected = [files[i] for i in (1, 4, 5, 2, 0, 3)]
        async with begin(read_only=True) as tx:
            for offset in range(7):
                page = await tx.files.page(owner.id, offset=offset, limit=2)
                assert list(page.items) == expected[offset : offset + 2]
                assert page.total == 6

    async def test_after_walks_over_the_files_of_all(self, begin: Begin, owner: User) -> None:
        other = a_user()
        files = [a_file(user_id=user.id) for user in (owner, other) * 3]
        await save(begin, other, *reversed(files))
        walked: list[File] = []
        async with begin(read_only=True) as tx:
            for _ in range(3):
                walked += await tx.files.after(walked[-1].id if walked else None, limit=4)
        assert walked == files

    async def test_an_update_of_a_file_replaces_the_version_before(
        self, begin: Begin, owner: User
    ) -> None:
        file = a_file(user_id=owner.id)
        await save(begin, file)
        outcome = Outcome(extracted={"a": 1}, text_key="t", warnings=[Notice("partial", "p")])
        done = file.start(LATER).succeed(outcome, storage_path="files/y", now=LATER)
        async with begin() as tx:
            await tx.files.update(file.start(LATER))
            await tx.files.update(done)
            await tx.commit()
        async with begin(read_only=True) as tx:
            assert await tx.files.get(file.id) == done

    async def test_a_stale_update_of_a_file_changes_nothing(
        self, begin: Begin, owner: User
    ) -> None:
        file = a_file(user_id=owner.id)
        await save(begin, file)
        started = file.start(MOMENT)
        async with begin() as tx:
            await tx.files.update(started)
            for stale in (started, file, file.start(LATER), a_file(user_id=owner.id, version=2)):
                with pytest.raises(StaleVersion):
                    await tx.files.update(stale)
            assert await tx.files.get(file.id) == started
            await tx.commit()
        async with begin(read_only=True) as tx:
            assert await tx.files.get(file.id) == started

    async def test_deleting_a_file_takes_its_jobs_along_and_no_others(
        self, begin: Begin, owner: User
    ) -> None:
        gone, kept = a_file(user_id=owner.id), a_file(user_id=owner.id)
        jobs = [a_job(file_id=gone.id, generation=n) for n in (1, 2)]
        kept_job, purge = a_job(file_id=kept.id), a_purge(user_id=owner.id)
        await save(begin, gone, kept, *jobs, kept_job, purge)
        async with begin() as tx:
            await tx.files.delete(gone.id)
            await tx.commit()
        async with begin(read_only=True) as tx:
            assert await tx.files.after(None, limit=9) == [kept]
            assert await tx.jobs.of_file(gone.id) == []
            assert await tx.jobs.get(kept_job.id) == kept_job
            assert await tx.jobs.get(purge.id) == purge

    async def test_versions_are_those_of_the_file_and_its_jobs(
        self, begin: Begin, owner: User
    ) -> None:
        file, other = a_file(user_id=owner.id), a_file(user_id=owner.id)
        job = a_job(file_id=file.id, user_id=owner.id)
        await save(begin, file, other, job)
        async with begin() as tx:
            assert await tx.files.versions(owner.id, file.id) == Versions(
                file.version, frozenset({(job.id, job.version)})
            )
            assert await tx.files.versions(owner.id, other.id) == Versions(1, frozenset())
            told, started = job.told(MOMENT), file.start(MOMENT)
            await tx.jobs.update(told)
            await tx.files.update(started)
            assert await tx.files.versions(owner.id, file.id) == Versions(
                started.version, frozenset({(job.id, told.version)})
            )

    async def test_versions_are_told_to_the_owner_alone(self, begin: Begin, owner: User) -> None:
        file, stranger = a_file(user_id=owner.id), a_user()
        await save(begin, file, stranger)
        async with begin(read_only=True) as tx:
            for who, what in ((stranger.id, file.id), (owner.id, a_file().id)):
                with pytest.raises(NotFound):
                    await tx.files.versions(who, what)
