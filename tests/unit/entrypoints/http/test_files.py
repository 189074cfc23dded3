"""Files one by one: read, waited for, retried, deleted."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from docstore.domain.failure import FailureCode

from .conftest import Bell, Reader, Store, Worker

pytestmark = pytest.mark.anyio

FIELDS = {
    "id", "owner_id", "filename", "title", "description", "tags", "metadata", "size", "sha256",
    "media_type", "declared_media_type", "key", "status", "uploaded_at", "updated_at",
    "processed_at", "extracted", "warnings", "error", "renditions", "links",
}  # fmt: skip
JOB_FIELDS = {
    "id", "file_id", "type", "status", "attempts", "max_attempts", "error_message", "queued_at",
    "next_attempt_at", "started_at", "completed_at", "steps",
}  # fmt: skip
STEP_FIELDS = {
    "processor", "version", "state", "started_at", "ended_at", "attempt", "error", "log",
}  # fmt: skip


async def uploaded(client: httpx.AsyncClient, name: str = "a.txt") -> dict[str, Any]:
    answer = await client.post("/files", content=b"hello", params={"filename": name})
    assert answer.status_code == 201
    file: dict[str, Any] = answer.json()
    return file


async def test_a_file_is_told_with_its_jobs(alice: httpx.AsyncClient) -> None:
    file = await uploaded(alice)
    answer = await alice.get(f"/files/{file['id']}")
    view = answer.json()
    assert answer.status_code == 200
    assert view.keys() == FIELDS | {"jobs"}
    assert file.keys() == FIELDS
    assert {name: view[name] for name in FIELDS} == file
    (job,) = view["jobs"]
    assert job.keys() == JOB_FIELDS
    assert (job["file_id"], job["type"], job["status"]) == (file["id"], "process", "queued")
    assert (job["attempts"], job["max_attempts"]) == (0, 5)
    assert job["next_attempt_at"] is not None
    assert UUID(view["id"]).version == 7
    assert answer.headers["Cache-Control"] == "private, no-store"


async def test_what_is_asked_for_again_is_as_it_is_now(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient, worker: Worker
) -> None:
    """The answer may be the one of before, as long as nothing has changed."""
    path = f"/files/{(await uploaded(alice))['id']}"

    async def asked(client: httpx.AsyncClient = alice) -> dict[str, Any]:
        first, again = await client.get(path), await client.get(path)
        assert first.status_code == again.status_code
        assert first.headers.get("ETag") == again.headers.get("ETag")
        if first.status_code == 200:
            assert first.content == again.content
        view: dict[str, Any] = again.json()
        return view

    assert (await asked())["status"] == "uploaded"
    assert (await bob.get(path)).status_code == 404, "it was answered to alice"
    await worker.process(alice, path.removeprefix("/files/"))
    view = await asked()
    assert view["status"] == "processed"
    assert [job["status"] for job in view["jobs"]] == ["completed"]
    await alice.patch(path, json={"title": "new"})
    assert (await asked())["title"] == "new"
    assert (await alice.post(f"{path}/retry", params={"force": "true"})).status_code == 202
    assert len((await asked())["jobs"]) == 2
    assert (await alice.head(path)).content == b""
    assert (await alice.delete(path)).status_code == 204
    assert (await asked())["type"].endswith("/not-found")


async def test_processing_shows_and_changes_the_etag(
    alice: httpx.AsyncClient, worker: Worker
) -> None:
    file = await uploaded(alice)
    before = (await alice.get(f"/files/{file['id']}")).headers["ETag"]
    view = await worker.process(alice, file["id"])
    after = (await alice.get(f"/files/{file['id']}")).headers["ETag"]
    assert before != after
    assert not after.startswith("W/")
    assert (view["status"], view["error"]) == ("processed", None)
    assert view["processed_at"] is not None
    (job,) = view["jobs"]
    assert (job["status"], job["next_attempt_at"]) == ("completed", None)
    thumbnail = view["renditions"][0]
    assert thumbnail == {
        "name": "thumbnail",
        "media_type": "image/png",
        "width": 4,
        "height": 3,
        "size": 4,
        "href": f"/files/{file['id']}/renditions/thumbnail",
    }


async def test_a_failure_says_why(alice: httpx.AsyncClient, worker: Worker, reader: Reader) -> None:
    reader.fails = FailureCode.CORRUPT
    view = await worker.process(alice, (await uploaded(alice))["id"])
    assert view["status"] == "failed"
    assert view["error"] == {"code": "corrupt", "message": "it is broken", "retryable": False}
    assert view["jobs"][0]["error_message"] == "it is broken"


async def test_waiting_ends_as_soon_as_the_file_is_final(
    alice: httpx.AsyncClient, worker: Worker
) -> None:
    file = await uploaded(alice)
    waiting = asyncio.create_task(alice.get(f"/files/{file['id']}?wait=60"))
    await worker.process(alice, file["id"])
    answer = await asyncio.wait_for(waiting, timeout=10)
    assert answer.json()["status"] == "processed"


async def test_waiting_ends_with_its_time(alice: httpx.AsyncClient) -> None:
    file = await uploaded(alice)
    for wait in ("0", "0.05", "5e-2"):
        answer = await alice.get(f"/files/{file['id']}?wait={wait}")
        assert (answer.status_code, answer.json()["status"]) == (200, "uploaded")


@pytest.mark.parametrize(
    "query",
    [
        "wait=61", "wait=-1", "wait=60.001", "wait=abc", "wait=", "wait=1e2", "wait=nan",
        "wait=inf", "wait=1_0", "wait=%201", "wait=+1", "wait=1&wait=1", "waiting=1", "wait=0x1",
    ],
)  # fmt: skip
async def test_a_bad_wait_is_422(alice: httpx.AsyncClient, query: str) -> None:
    file = await uploaded(alice)
    assert (await alice.get(f"/files/{file['id']}?{query}")).status_code == 422


ROUTES = [
    ("GET", ""), ("GET", "?wait=1"), ("HEAD", ""), ("DELETE", ""), ("GET", "/content"),
    ("HEAD", "/content"), ("GET", "/text"), ("GET", "/renditions/preview"), ("POST", "/retry"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "rest"), ROUTES)
async def test_unknown_malformed_and_anothers_ids_are_one_404(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient, method: str, rest: str
) -> None:
    theirs = UUID((await uploaded(alice))["id"])
    spellings = [
        str(theirs), str(uuid4()), "x", "0", "x" * 5000, theirs.hex, f"urn:uuid:{theirs}",
        f"{{{theirs}}}", f"{theirs} ", f"%00{theirs}", f"{theirs}%0a", "%ff", "-1", "\uff11",
    ]  # fmt: skip
    answers = [await bob.request(method, f"/files/{spelling}{rest}") for spelling in spellings]
    assert [answer.status_code for answer in answers] == [404] * len(spellings)
    if method != "HEAD":
        bodies = [{**answer.json(), "trace_id": ""} for answer in answers]
        assert bodies == bodies[:1] * len(bodies)
        assert len({len(answer.content) for answer in answers}) == 1
    assert (await alice.get(f"/files/{theirs}")).status_code == 200


async def test_an_id_in_capitals_is_the_same_id(alice: httpx.AsyncClient) -> None:
    file = await uploaded(alice)
    answer = await alice.get(f"/files/{file['id'].upper()}")
    assert (answer.status_code, answer.json()["id"]) == (200, file["id"])


async def test_a_deleted_file_is_gone_and_its_bytes_follow(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient, store: Store, bell: Bell
) -> None:
    file = await uploaded(alice)
    assert (await bob.delete(f"/files/{file['id']}")).status_code == 404
    bell.rung = 0
    answer = await alice.delete(f"/files/{file['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Length" not in answer.headers
    assert bell.rung == 1
    assert not await store.files()
    for path in ("", "/content", "/text"):
        assert (await alice.get(f"/files/{file['id']}{path}")).status_code == 404
    assert (await alice.delete(f"/files/{file['id']}")).status_code == 404


async def test_a_failed_file_is_retried_once(
    alice: httpx.AsyncClient, worker: Worker, reader: Reader, bell: Bell
) -> None:
    file = await uploaded(alice)
    reader.fails = FailureCode.CORRUPT
    await worker.process(alice, file["id"])
    bell.rung = 0
    answer = await alice.post(f"/files/{file['id']}/retry")
    assert answer.status_code == 202
    assert (answer.json()["id"], answer.json()["status"]) == (file["id"], "processing")
    assert answer.json()["error"] is None
    assert bell.rung == 1
    again = await alice.post(f"/files/{file['id']}/retry")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/illegal-transition")
    reader.fails = None
    view = await worker.process(alice, file["id"])
    assert (view["status"], len(view["jobs"])) == ("processed", 2)


async def test_a_processed_file_is_processed_again_by_force_alone(
    alice: httpx.AsyncClient, worker: Worker
) -> None:
    file = await uploaded(alice)
    early = await alice.post(f"/files/{file['id']}/retry?force=true")
    assert early.status_code == 409
    await worker.process(alice, file["id"])
    for query, status in (
        ("", 409),
        ("?force=false", 409),
        ("?force=yes", 422),
        ("?force=1", 422),
        ("?force=true&force=true", 422),
        ("?forced=true", 422),
        ("?force=true", 202),
        ("?force=true", 409),
    ):
        answer = await alice.post(f"/files/{file['id']}/retry{query}")
        assert answer.status_code == status, query
