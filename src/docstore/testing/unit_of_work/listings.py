from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import pytest

from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import NotFound
from docstore.domain.file import Details, File
from docstore.domain.job import Job
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.listing import FileQuery, JobQuery, Place, Sort
from docstore.domain.names import FileName, MediaType
from docstore.domain.user import User
from docstore.testing.builders import MOMENT, a_file, a_job, a_purge, a_user
from docstore.testing.unit_of_work.saving import OnAnEmptyDatabase, save

TICK: Final = timedelta(microseconds=1)
NAMES: Final = ["a.txt", "B.PNG", "50%_off.pdf", "Ärger\\.doc", "strasse.txt", "z"]
SHOWN: Final = Details(
    title="Große Übersicht", description="line one\nline two", tags=("Two words", 'x"y')
)
MARKED: Final = Details(title="' OR 1=1 --", tags=("x", "y", "two words", '"', "%"))


def when(ticks: int) -> datetime:
    return MOMENT + ticks * TICK


def shelf(owner: User) -> Sequence[File]:
    """Files that differ in all that can be asked for, oldest first."""
    types = ["text/plain", "image/png", "application/pdf", "image0/x", "text/plain", "imag/e"]
    sizes = [3, 1, 2, 3, 2**40, 0]
    statuses = [*FileStatus, FileStatus.PROCESSED, FileStatus.FAILED]
    details = [Details(), SHOWN, MARKED, Details(), Details(title="B.PNG"), Details()]
    return [
        a_file(
            user_id=owner.id,
            original_filename=FileName(NAMES[n]),
            media_type=MediaType(types[n]),
            size=sizes[n],
            status=statuses[n],
            details=details[n],
            uploaded_at=when(n),
        )
        for n in range(len(NAMES))
    ]


ASKED: Final[Sequence[tuple[FileQuery, Sequence[int]]]] = [
    (FileQuery(), [5, 4, 3, 2, 1, 0]),
    (FileQuery(sort=Sort.OLDEST), [0, 1, 2, 3, 4, 5]),
    (FileQuery(sort=Sort.BY_NAME), [2, 1, 0, 4, 5, 3]),
    (FileQuery(sort=Sort.BY_NAME_DESCENDING), [3, 5, 4, 0, 1, 2]),
    (FileQuery(sort=Sort.SMALLEST), [5, 1, 2, 0, 3, 4]),
    (FileQuery(sort=Sort.LARGEST), [4, 3, 0, 2, 1, 5]),
    (FileQuery(status=FileStatus.UPLOADED), [0]),
    (FileQuery(status=FileStatus.PROCESSING), [1]),
    (FileQuery(status=FileStatus.PROCESSED), [4, 2]),
    (FileQuery(status=FileStatus.FAILED, sort=Sort.OLDEST), [3, 5]),
    (FileQuery(media_type="text/plain"), [4, 0]),
    (FileQuery(media_type="TEXT/Plain"), [4, 0]),
    (FileQuery(media_type="image/*"), [1]),
    (FileQuery(media_type="image/jpeg"), []),
    (FileQuery(tag="x"), [2]),
    (FileQuery(tag='"'), [2]),
    (FileQuery(tag='x"y'), [1]),
    (FileQuery(tag="two words"), [2]),
    (FileQuery(tag="Two words"), [1]),
    (FileQuery(tag="words"), []),
    (FileQuery(tag="%"), [2]),
    (FileQuery(filename="txt"), [4, 0]),
    (FileQuery(filename=".png"), [1]),
    (FileQuery(filename="%"), [2]),
    (FileQuery(filename="_"), [2]),
    (FileQuery(filename="\\"), [3]),
    (FileQuery(filename="äRGER"), [3]),
    (FileQuery(filename="A\u0308rger"), [3]),
    (FileQuery(filename="STRAßE"), [4]),
    (FileQuery(filename="übersicht"), []),
    (FileQuery(filename="\n"), []),
    (FileQuery(filename="*"), []),
    (FileQuery(uploaded_after=when(4)), [5, 4]),
    (FileQuery(uploaded_before=when(2)), [1, 0]),
    (FileQuery(uploaded_after=when(1), uploaded_before=when(3)), [2, 1]),
    (FileQuery(uploaded_after=when(3), uploaded_before=when(3)), []),
    (FileQuery(q="übersicht"), [1]),
    (FileQuery(q="GROSSE one two"), [1]),
    (FileQuery(q="grosse three"), []),
    (FileQuery(q="b.png"), [4, 1]),
    (FileQuery(q="' OR 1=1 --"), [2]),
    (FileQuery(q='"*:NEAR('), []),
    (FileQuery(q="%"), [2]),
    (FileQuery(q="_"), [2]),
    (FileQuery(q="50%_OFF x"), [2]),
    (FileQuery(q="TXT", media_type="text/*", status=FileStatus.UPLOADED, filename="A"), [0]),
    (FileQuery(media_type="text/*", sort=Sort.LARGEST), [4, 0]),
]


class ListingsContract(OnAnEmptyDatabase):
    @pytest.mark.parametrize(("query", "expected"), ASKED, ids=lambda value: repr(value)[:99])
    async def test_what_is_asked_for_is_listed_and_counted(
        self, begin: Begin, owner: User, query: FileQuery, expected: Sequence[int]
    ) -> None:
        files, other = shelf(owner), a_user()
        await save(begin, other, *files, *shelf(other))
        async with begin(read_only=True) as tx:
            found = await tx.files.listed(owner.id, query, limit=9)
            assert [NAMES.index(file.original_filename) for file in found] == expected
            assert list(found) == [files[n] for n in expected]
            assert await tx.files.count(owner.id, query) == len(expected)

    @pytest.mark.parametrize("sort", list(Sort))
    @pytest.mark.parametrize("status", [None, FileStatus.UPLOADED])
    async def test_a_listing_is_read_in_stretches(
        self, begin: Begin, owner: User, sort: Sort, status: FileStatus | None
    ) -> None:
        # Equal ones go by their ids, in the same direction.
        ages, sizes, names = [1, 3, 1, 0, 2, 1], [2, 1, 2, 2, 3, 1], "baabcb"
        files = [
            a_file(
                user_id=owner.id,
                uploaded_at=when(ages[n]),
                size=sizes[n],
                original_filename=FileName(names[n]),
            )
            for n in range(6)
        ]
        query = FileQuery(sort=sort, status=status)
        await save(begin, *files)
        files.sort(
            key=lambda file: (query.place_of(file).value, file.id), reverse=sort.is_descending
        )
        async with begin(read_only=True) as tx:
            for offset in range(8):
                found = await tx.files.listed(owner.id, query, offset=offset, limit=2)
                assert list(found) == files[offset : offset + 2]
            for place, file in enumerate(files):
                after = query.place_of(file)
                found = await tx.files.listed(owner.id, query, after=after, limit=2)
                assert list(found) == files[place + 1 : place + 3]

    async def test_a_place_stays_when_its_file_goes(self, begin: Begin, owner: User) -> None:
        files = shelf(owner)
        await save(begin, *files)
        place = FileQuery().place_of(files[3])
        async with begin() as tx:
            await tx.files.delete(files[3].id)
            await tx.commit()
        async with begin(read_only=True) as tx:
            found = await tx.files.listed(owner.id, FileQuery(), after=place, limit=9)
        assert list(found) == [files[n] for n in (2, 1, 0)]

    async def test_what_is_edited_is_found_by_what_it_says_now(
        self, begin: Begin, owner: User
    ) -> None:
        file = a_file(user_id=owner.id, details=Details(title="before", tags=("old",)))
        await save(begin, file)
        edited = file.edit({"title": "after", "tags": ["new"], "filename": "b.md"}, now=MOMENT)
        async with begin() as tx:
            await tx.files.update(edited)
            await tx.commit()
        gone = [FileQuery(q="before"), FileQuery(tag="old"), FileQuery(filename="letter")]
        there = [FileQuery(q="after b.md new"), FileQuery(tag="new"), FileQuery(filename="B.M")]
        async with begin(read_only=True) as tx:
            for query in gone:
                assert not await tx.files.listed(owner.id, query, limit=9)
            for query in there:
                assert list(await tx.files.listed(owner.id, query, limit=9)) == [edited]

    @pytest.mark.parametrize("query", [FileQuery(), FileQuery(q="letter"), FileQuery(tag="a")])
    async def test_counting_may_stop_early_and_not_too_early(
        self, begin: Begin, owner: User, query: FileQuery
    ) -> None:
        details = Details(tags=("a", "a"))
        await save(begin, *(a_file(user_id=owner.id, details=details) for _ in range(5)))
        async with begin(read_only=True) as tx:
            assert await tx.files.count(owner.id, query, at_most=9) == 5
            assert await tx.files.count(owner.id, query, at_most=3) in (3, 5)
            assert await tx.files.count(a_user().id, query) == 0

    async def test_counts_follow_what_happens(self, begin: Begin, owner: User) -> None:
        files = [a_file(user_id=owner.id) for _ in range(3)]
        await save(begin, *files)
        async with begin() as tx:
            await tx.files.update(files[0].start(MOMENT))
            await tx.files.delete(files[1].id)
            await tx.commit()
        async with begin(read_only=True) as tx:
            assert await tx.files.count(owner.id, FileQuery()) == 2
            for status in FileStatus:
                found = await tx.files.count(owner.id, FileQuery(status=status))
                assert type(found) is int
                assert found == (status in (FileStatus.UPLOADED, FileStatus.PROCESSING))

    async def test_nothing_is_listed_far_behind_the_last(self, begin: Begin, owner: User) -> None:
        await save(begin, a_file(user_id=owner.id))
        async with begin(read_only=True) as tx:
            for offset in (2**31, 2**40):
                for query in (FileQuery(), FileQuery(status=FileStatus.FAILED), FileQuery(tag="x")):
                    assert not await tx.files.listed(owner.id, query, offset=offset, limit=2)
                assert not (await tx.files.page(owner.id, offset=offset, limit=2)).items
                assert not await tx.jobs.listed(owner.id, JobQuery(), offset=offset, limit=2)

    async def test_jobs_are_listed_newest_first_and_only_the_owners(
        self, begin: Begin, owner: User
    ) -> None:
        ages = [1, 3, 1, 0, 2, 1]
        jobs = await self._jobs(begin, owner, ages)
        expected = [jobs[n] for n in (1, 4, 5, 2, 0, 3)]
        query = JobQuery()
        async with begin(read_only=True) as tx:
            for offset in range(8):
                found = await tx.jobs.listed(owner.id, query, offset=offset, limit=2)
                assert list(found) == expected[offset : offset + 2]
            for n, job in enumerate(expected):
                place = Place(job.queued_at, job.id)
                found = await tx.jobs.listed(owner.id, query, after=place, limit=2)
                assert list(found) == expected[n + 1 : n + 3]
            assert await tx.jobs.count(owner.id, query) == 6
            assert await tx.jobs.count(owner.id, query, at_most=9) == 6
            assert await tx.jobs.count(owner.id, query, at_most=3) in (3, 6)

    @pytest.mark.parametrize("status", list(JobStatus))
    async def test_jobs_are_listed_by_status(
        self, begin: Begin, owner: User, status: JobStatus
    ) -> None:
        jobs = await self._jobs(begin, owner, range(8))
        query = JobQuery(status=status)
        expected = [job for job in reversed(jobs) if job.status is status]
        assert len(expected) == 2
        async with begin(read_only=True) as tx:
            assert list(await tx.jobs.listed(owner.id, query, limit=9)) == expected
            assert await tx.jobs.count(owner.id, query) == 2

    async def test_a_job_is_told_to_the_owner_of_its_file_alone(
        self, begin: Begin, owner: User
    ) -> None:
        (job,) = await self._jobs(begin, owner, [0])
        purge = a_purge(user_id=owner.id)
        await save(begin, purge)
        async with begin(read_only=True) as tx:
            assert await tx.jobs.owned(owner.id, job.id) == job
            for user, stranger in ((a_user(), job), (owner, purge), (owner, a_job())):
                with pytest.raises(NotFound):
                    await tx.jobs.owned(user.id, stranger.id)

    async def _jobs(self, begin: Begin, owner: User, ages: Sequence[int]) -> Sequence[Job]:
        """The owner's jobs of that age, among a purge and the jobs of another."""
        other = a_user()
        file, theirs = a_file(user_id=owner.id), a_file(user_id=other.id)
        jobs = [
            a_job(
                file_id=file.id,
                user_id=owner.id,
                generation=n + 1,
                queued_at=when(age),
                status=[*JobStatus][n % len(JobStatus)],
            )
            for n, age in enumerate(ages)
        ]
        strangers = [a_job(file_id=theirs.id, user_id=other.id), a_purge(user_id=owner.id)]
        await save(begin, other, file, theirs, *strangers, *jobs)
        return jobs
