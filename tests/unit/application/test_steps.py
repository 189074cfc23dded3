"""What was done once is not done again, whatever fails later."""

from datetime import timedelta

import pytest

from docstore.application.ports.processor import Findings, Picture
from docstore.domain.errors import ProcessingFailed, Unavailable
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Notice
from docstore.domain.ids import FileId
from docstore.domain.job import Job
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.names import MediaType
from docstore.domain.step import StepState
from unit.application.steps import Office, open_office, read

pytestmark = pytest.mark.anyio

CRASH = ProcessingFailed(FailureCode.CRASHED, "the parser died")
CORRUPT = ProcessingFailed(FailureCode.CORRUPT, "no sense in it")
WORDS = Findings(facts={"text": {"words": 2}}, text="Dear reader")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def office() -> Office:
    return await open_office()


def a_picture(name: str, data: bytes) -> Findings:
    picture = Picture(name=name, media_type=MediaType("image/png"), width=2, height=1, data=data)
    return Findings(pictures=[picture])


def states(job: Job) -> dict[str, str]:
    return {step.processor: step.state.value for step in job.steps}


async def test_each_step_is_told(office: Office) -> None:
    office.script.has("text", Findings(text="ab", warnings=[Notice("partial", "p")]))
    office.script.has("image", a_picture("preview", b"png"), version="7")
    job = await office.work(await office.upload())
    text, image = job.steps
    assert (text.processor, text.version, text.state, text.attempt) == ("text", "1", "done", 1)
    assert (image.processor, image.version, image.state) == ("image", "7", "done")
    assert image.error is None
    assert text.log == "a text of 2 characters; warning partial"
    assert image.log == "preview of 2 x 1"
    assert job.started_at is not None
    assert text.started_at == job.started_at
    assert text.ended_at == image.started_at
    assert image.ended_at == job.completed_at


async def test_a_step_that_was_done_is_not_done_again(office: Office) -> None:
    office.script.has("text", WORDS)
    office.script.has("image", CRASH)
    file_id = await office.upload()
    failed = await office.work(file_id)
    assert states(failed) == {"text": "done", "image": "failed"}
    assert (failed.status, failed.steps[1].error) == (JobStatus.QUEUED, FailureCode.CRASHED)
    office.script.has("image", a_picture("preview", b"png"))
    done = await office.work(file_id)
    assert office.script.ran == ["text", "image", "image"]
    assert [step.attempt for step in done.steps] == [1, 2]
    file = await office.file(file_id)
    assert file.extracted is not None
    assert file.extracted["text"] == {"words": 2}
    assert await office.text(file_id) == "Dear reader"
    assert [rendition.name for rendition in file.renditions] == ["preview"]


async def test_what_is_given_up_says_which_steps_never_came(office: Office) -> None:
    office.script.has("text", WORDS)
    office.script.has("image", CORRUPT)
    office.script.has("ocr", WORDS)
    job = await office.work(await office.upload())
    assert states(job) == {"text": "done", "image": "failed", "ocr": "skipped"}
    assert (job.status, job.steps[1].log) == (JobStatus.FAILED, "no sense in it")


async def test_a_worker_that_stops_leaves_what_was_done(office: Office) -> None:
    office.script.has("text", WORDS)
    office.script.has("image", CRASH)
    file_id = await office.upload()

    async def stop() -> None:
        if office.script.ran[-1] == "image":
            await office.docstore.background.release_held_by("")

    office.script.meanwhile = stop
    job = await office.work(file_id)
    assert states(job) == {"text": "done", "image": "waiting"}
    assert (job.status, job.attempts) == (JobStatus.QUEUED, 0)


@pytest.mark.parametrize(("steps", "more"), [(0, 0), (1, 0), (2, 1), (3, 2)])
async def test_only_what_lies_between_two_steps_costs_a_transaction(
    office: Office, steps: int, more: int
) -> None:
    for n in range(steps):
        office.script.has(f"reader-{n}", WORDS)
    file_id = await office.upload()
    before = office.database.writes
    await office.work(file_id)
    claim_and_settle = 2
    assert office.database.writes - before == claim_and_settle + more


async def test_a_retry_by_hand_goes_on_from_the_step_that_failed(office: Office) -> None:
    office.script.has("text", WORDS)
    office.script.has("image", CORRUPT)
    file_id = await office.processed()
    await office.retry(file_id)
    assert states(await office.job(file_id)) == {"text": "done", "image": "waiting"}
    office.script.has("image", a_picture("preview", b"png"))
    await office.work(file_id)
    assert office.script.ran == ["image"]
    assert await office.text(file_id) == "Dear reader"
    await office.sweep()
    assert await office.blobs() == (await office.file(file_id)).blob_keys()
    assert all(f"{file_id}/2/" in key for key in await office.blobs())


async def test_what_was_swept_up_is_done_again(office: Office) -> None:
    office.script.has("facts", Findings(facts={"document": {"pages": 1}}))
    office.script.has("text", WORDS)
    office.script.has("image", CORRUPT)
    file_id = await office.processed()
    await office.sweep()
    await office.retry(file_id)
    office.script.has("image", Findings())
    job = await office.work(file_id)
    assert office.script.ran == ["text", "image"], "the facts lie in the job"
    assert set(states(job).values()) == {"done"}
    assert await office.text(file_id) == "Dear reader"


@pytest.mark.parametrize("last", [WORDS, CORRUPT], ids=["processed", "failed"])
async def test_with_force_everything_is_done_again(office: Office, last: Findings) -> None:
    office.script.has("text", WORDS)
    office.script.has("image", last)
    file_id = await office.processed()
    await office.retry(file_id, force=True)
    await office.work(file_id)
    assert office.script.ran == ["text", "image"]
    assert (await office.file(file_id)).generation == 2


async def test_a_version_that_changes_between_two_attempts_counts(office: Office) -> None:
    office.script.has("text", WORDS)
    office.script.has("image", CRASH, after="text")
    file_id = await office.processed()
    office.script.has("text", Findings(text="other words"), version="2")
    office.script.has("image", Findings(), after="text")
    await office.work(file_id)
    assert office.script.ran == ["text", "image"]
    assert await office.text(file_id) == "other words"


async def test_several_texts_are_one(office: Office) -> None:
    office.script.has("text", Findings(text="Grüße"))
    office.script.has("nothing", Findings(text=""))
    office.script.has("ocr", Findings(text="an alle"))
    file_id = await office.processed()
    assert await office.text(file_id) == "Grüße\n\nan alle"
    assert await office.blobs() == (await office.file(file_id)).blob_keys()
    office.script.has("nothing", Findings(text="nichts"), version="2")
    await office.docstore.refresh()
    await office.work(file_id)
    assert office.script.ran == ["nothing"]
    assert await office.text(file_id) == "Grüße\nnichts\nan alle"
    assert await office.blobs() == (await office.file(file_id)).blob_keys()


async def test_the_later_step_has_the_last_word(office: Office) -> None:
    office.script.has("a", Findings(facts={"x": 1, "y": 1}, pictures=a_picture("p", b"1").pictures))
    office.script.has(
        "b", Findings(facts={"y": 2, "x": None}, pictures=a_picture("p", b"2").pictures)
    )
    file_id = await office.processed()
    file = await office.file(file_id)
    assert file.extracted is not None
    assert (file.extracted["x"], file.extracted["y"]) == (1, 2)
    assert [rendition.name for rendition in file.renditions] == ["p"]
    there = await office.docstore.rendition(owner=office.owner, id=file_id, name="p")
    assert await read(there) == b"2"
    assert await office.blobs() == file.blob_keys()


async def test_who_has_lost_the_lease_saves_no_step(office: Office) -> None:
    office.script.has("text", WORDS)
    office.script.has("image", WORDS)
    file_id = await office.upload()

    async def another_takes_over() -> None:
        office.script.meanwhile = None
        await office.docstore.background.release_held_by("")
        office.script.has("text", CORRUPT)
        await office.work(file_id)
        office.script.has("text", WORDS)

    office.script.meanwhile = another_takes_over
    job = await office.work(file_id)
    assert office.script.ran == ["text", "text"], "it stops where it cannot save"
    assert (job.status, states(job)) == (JobStatus.FAILED, {"text": "failed", "image": "skipped"})


async def test_a_commit_whose_answer_is_lost_is_made_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.script.has("text", WORDS)
    office.script.has("image", WORDS)
    monkeypatch.setattr("docstore.application.working.SETTLE_PAUSE", 0.0)
    file_id = await office.upload()
    apply, calls = office.database.apply, 0

    def lose_the_second(changes: list[object]) -> None:
        nonlocal calls
        apply(changes)  # type: ignore[arg-type]
        calls += 1
        if calls == 2:
            raise Unavailable("the answer was lost")

    monkeypatch.setattr(office.database, "apply", lose_the_second)
    job = await office.work(file_id)
    assert (job.status, calls) == (JobStatus.COMPLETED, 3)
    assert office.script.ran == ["text", "image"]
    assert job.version == 4


async def lease_of(office: Office, file_id: FileId) -> timedelta:
    job = await office.job(file_id)
    assert job.lease_until is not None
    assert job.heartbeat_at is not None
    return job.lease_until - job.heartbeat_at


async def test_between_two_steps_the_lease_is_renewed(office: Office) -> None:
    office.script.has("text", WORDS)
    office.script.has("image", WORDS)
    file_id = await office.upload()
    seen = []

    async def look() -> None:
        job = await office.job(file_id)
        seen.append((job.heartbeat_at, await lease_of(office, file_id)))

    office.script.meanwhile = look
    await office.work(file_id)
    (first, lease), (second, renewed) = seen
    assert lease == renewed == timedelta(seconds=30)
    assert first is not None
    assert second is not None
    assert first < second


async def test_a_file_that_nobody_reads_has_no_step(office: Office) -> None:
    file_id = await office.upload()
    job = await office.work(file_id)
    assert (job.status, job.steps) == (JobStatus.COMPLETED, ())
    assert (await office.file(file_id)).status is FileStatus.PROCESSED
    assert StepState.RUNNING not in states(job).values()
