"""GET /jobs and GET /jobs/{id}."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from docstore.application.ports.processor import Findings
from docstore.domain.failure import FailureCode
from docstore.domain.lifecycle import JobStatus
from docstore.entrypoints.http.job_views import job_fields
from docstore.testing.builders import MOMENT, a_job

from .conftest import Reader, Store, Worker
from .test_files import JOB_FIELDS, STEP_FIELDS, uploaded

pytestmark = pytest.mark.anyio


async def test_what_a_heartbeat_changes_is_not_shown() -> None:
    """It leaves the version of the job as it was, by which answers are given again."""
    job = a_job(status=JobStatus.PROCESSING)
    later = MOMENT + timedelta(minutes=1)
    beaten = replace(job, heartbeat_at=later, lease_until=later)
    assert job_fields(beaten, 5) == job_fields(job, 5)


async def test_jobs_are_listed_newest_first(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient, worker: Worker, reader: Reader
) -> None:
    files = [await uploaded(alice, f"{n}.txt") for n in range(3)]
    await uploaded(bob)
    reader.fails = FailureCode.CORRUPT
    failed = await worker.process(alice, files[1]["id"])
    answer = await alice.get("/jobs")
    page = answer.json()
    assert answer.status_code == 200
    assert page.keys() == {"items", "page", "page_size", "total", "next_cursor"}
    assert [job["file_id"] for job in page["items"]] == [file["id"] for file in files[::-1]]
    assert (page["page"], page["page_size"], page["total"]) == (1, 20, 3)
    assert page["items"][1] == failed["jobs"][0]
    assert page["items"][0].keys() == JOB_FIELDS
    only = await alice.get("/jobs?status=failed")
    assert only.json()["items"] == failed["jobs"]
    assert only.json()["total"] == 1
    assert len((await alice.get("/jobs?status=queued")).json()["items"]) == 2
    assert (await alice.get("/jobs?status=processing")).json()["items"] == []
    one = await alice.get(f"/jobs/{failed['jobs'][0]['id']}")
    assert (one.status_code, one.json()) == (200, failed["jobs"][0])
    assert one.json()["error_message"] == "it is broken"


async def test_steps_are_told_with_their_job(
    alice: httpx.AsyncClient, worker: Worker, reader: Reader
) -> None:
    reader.findings, reader.fails = [Findings(text="words"), Findings()], FailureCode.CORRUPT
    file = await uploaded(alice)
    assert (await alice.get("/jobs")).json()["items"][0]["steps"] == []
    (job,) = (await worker.process(alice, file["id"]))["jobs"]
    assert (await alice.get(f"/jobs/{job['id']}")).json() == job
    assert (await alice.get("/jobs")).json()["items"] == [job]
    first, second = job["steps"]
    assert first.keys() == second.keys() == STEP_FIELDS
    assert first == {
        **first, "processor": "reader-0", "version": "1", "state": "done", "attempt": 1,
        "error": None, "log": "a text of 5 characters",
    }  # fmt: skip
    assert second == {**second, "state": "failed", "error": "corrupt", "log": "it is broken"}
    assert job["started_at"] == first["started_at"] < first["ended_at"] == second["started_at"]
    reader.fails = None
    await alice.post(f"/files/{file['id']}/retry")
    (again, _) = (await worker.process(alice, file["id"]))["jobs"]
    assert again["steps"][0] == first
    assert again["steps"][1]["state"] == "done"


async def test_jobs_are_paged_and_walked_like_files(alice: httpx.AsyncClient) -> None:
    for n in range(5):
        await uploaded(alice, f"{n}.txt")
    whole = [job["id"] for job in (await alice.get("/jobs")).json()["items"]]
    second = await alice.get("/jobs?page=2&page_size=2&status=queued")
    assert [job["id"] for job in second.json()["items"]] == whole[2:4]
    assert second.links["next"]["url"] == "/jobs?page=3&page_size=2&status=queued"
    assert second.links.keys() == {"first", "prev", "next", "last"}
    cursor = second.json()["next_cursor"]
    rest = await alice.get(f"/jobs?page_size=2&status=queued&cursor={cursor}")
    assert [job["id"] for job in rest.json()["items"]] == whole[4:]
    assert "total" not in rest.json()
    assert (await alice.get(f"/jobs?cursor={cursor}")).status_code == 422
    assert (await alice.get(f"/jobs?page=1&status=queued&cursor={cursor}")).status_code == 422
    assert (await alice.get("/jobs?total=exact")).json()["total"] == 5


@pytest.mark.parametrize(
    "query",
    ["status=done", "status=", "status=failed&status=failed", "page=0", "page_size=101",
     "cursor=x", "sort=status", "type=purge", "total=1", "file_id=x"],
)  # fmt: skip
async def test_a_bad_listing_is_422(alice: httpx.AsyncClient, query: str) -> None:
    answer = await alice.get(f"/jobs?{query}")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-field")


async def test_another_owners_job_is_as_unknown_as_any(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    file = await uploaded(alice)
    job = (await alice.get(f"/files/{file['id']}")).json()["jobs"][0]
    assert (await alice.get(f"/jobs/{job['id'].upper()}")).status_code == 200
    assert (await alice.get(f"/jobs/{job['id']}?wait=1")).status_code == 422
    spellings = [job["id"], str(uuid4()), "x", UUID(job["id"]).hex, f"urn:uuid:{job['id']}",
                 file["id"], "x" * 5000]  # fmt: skip
    answers = [await bob.get(f"/jobs/{spelling}") for spelling in spellings]
    assert [answer.status_code for answer in answers] == [404] * len(spellings)
    bodies = [{**answer.json(), "trace_id": ""} for answer in answers]
    assert bodies == bodies[:1] * len(bodies)
    assert (await bob.get("/jobs")).json()["items"] == []
    assert (await alice.get(f"/jobs/{file['id']}")).status_code == 404


async def test_what_is_left_of_a_deleted_file_is_nobodys_job(
    alice: httpx.AsyncClient, store: Store
) -> None:
    file = await uploaded(alice)
    await alice.delete(f"/files/{file['id']}")
    async with store.container.begin()(read_only=True) as tx:
        now = await tx.now()
        (purge,) = await tx.jobs.due(now, told_before=now, limit=9)
    assert purge.file_id is None
    assert (await alice.get("/jobs")).json()["items"] == []
    assert (await alice.get(f"/jobs/{purge.id}")).status_code == 404
