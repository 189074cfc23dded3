"""`docstore reprocess --stale`: what is out of date is processed, and nothing else."""

import pytest

from docstore.application.ports.processor import Findings
from docstore.application.refreshing import Refreshed, Stale
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.ids import FileId
from docstore.domain.lifecycle import FileStatus
from docstore.testing import a_user
from unit.application.steps import Office, open_office

pytestmark = pytest.mark.anyio

CORRUPT = ProcessingFailed(FailureCode.CORRUPT, "no sense in it")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def office() -> Office:
    office = await open_office()
    office.script.has("text", Findings(text="old words", facts={"text": {"words": 2}}))
    office.script.has("image", Findings(facts={"image": {"width": 3}}))
    return office


async def stale(office: Office, *, dry_run: bool = False) -> dict[FileId, list[str]]:
    found: list[Stale] = []
    refreshed = await office.docstore.refresh(dry_run=dry_run, tell=found.append)
    assert refreshed.stale == len(found)
    return {each.file.id: list(each.processors) for each in found}


async def test_what_is_up_to_date_is_left_alone(office: Office) -> None:
    file_id = await office.processed()
    await office.upload()
    before = await office.file(file_id)
    assert await stale(office) == {}
    assert await office.file(file_id) == before


async def test_only_the_upgraded_step_runs_and_the_others_are_carried_over(office: Office) -> None:
    file_id = await office.processed()
    office.script.has("text", Findings(text="new words", facts={"text": {"words": 9}}), version="2")
    assert await stale(office) == {file_id: ["text"]}
    job = await office.work(file_id)
    assert office.script.ran == ["text"]
    assert [(step.processor, step.version) for step in job.steps] == [("text", "2"), ("image", "1")]
    file = await office.file(file_id)
    assert (file.status, file.generation) == (FileStatus.PROCESSED, 2)
    assert file.extracted is not None
    assert (file.extracted["text"], file.extracted["image"]) == ({"words": 9}, {"width": 3})
    assert await stale(office) == {}


async def test_a_new_processor_is_missed(office: Office) -> None:
    file_id = await office.processed()
    office.script.has("ocr", Findings(facts={"ocr": True}))
    assert await stale(office) == {file_id: ["ocr"]}
    await office.work(file_id)
    assert office.script.ran == ["ocr"]
    assert await office.text(file_id) == "old words"


async def test_readers_have_the_old_results_until_the_new_ones_are_committed(
    office: Office,
) -> None:
    file_id = await office.processed()
    office.script.has("text", Findings(text="new words"), version="2")
    await stale(office)
    seen = []

    async def look() -> None:
        file = await office.file(file_id)
        assert file.extracted is not None
        seen.append((file.status, await office.text(file_id), file.extracted["text"]))

    office.script.meanwhile = look
    await look()
    await office.work(file_id)
    assert seen == 2 * [(FileStatus.PROCESSING, "old words", {"words": 2})]
    assert await office.text(file_id) == "new words"
    assert await office.blobs() == (await office.file(file_id)).blob_keys()


async def test_a_dry_run_lists_and_changes_nothing(office: Office) -> None:
    file_id = await office.processed()
    before = await office.file(file_id)
    office.script.has("image", Findings(), version="2")
    assert await stale(office, dry_run=True) == {file_id: ["image"]}
    assert await office.file(file_id) == before


async def test_twice_is_once(office: Office) -> None:
    file_id = await office.processed()
    office.script.has("image", Findings(), version="2")
    assert await stale(office) == {file_id: ["image"]}
    assert await stale(office) == {}, "it is being processed already"


async def test_a_failed_file_is_stale_when_the_step_that_failed_is_another_now(
    office: Office,
) -> None:
    office.script.has("image", CORRUPT)
    file_id = await office.processed()
    office.script.has("text", Findings(), version="2")
    assert await stale(office) == {}
    office.script.has("text", Findings())
    office.script.has("image", Findings(), version="2")
    assert await stale(office) == {file_id: ["image"]}
    await office.work(file_id)
    assert office.script.ran == ["image"]
    assert (await office.file(file_id)).status is FileStatus.PROCESSED


async def test_a_processor_that_went_takes_nothing_with_it(office: Office) -> None:
    file_id = await office.processed()
    del office.script.plan_[0]
    assert await stale(office) == {}
    assert await office.text(file_id) == "old words"


async def test_many_files_are_looked_at_and_those_of_one_owner_when_asked(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docstore.application.refreshing.BATCH", 2)
    files = [await office.processed() for _ in range(5)]
    office.script.has("text", Findings(), version="2")
    stranger = a_user()
    refresh = office.docstore.refresh
    assert await refresh(owner=stranger.id) == Refreshed(looked_at=0, stale=0)
    assert await refresh(owner=office.owner, dry_run=True) == Refreshed(looked_at=5, stale=5)
    assert (await stale(office)).keys() == set(files)
