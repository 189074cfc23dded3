"""PATCH /files/{id}."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from .conftest import Bell, Worker
from .test_files import FIELDS, uploaded

pytestmark = pytest.mark.anyio

JSON = {"Content-Type": "application/json"}
MERGE = {"Content-Type": "application/merge-patch+json"}
EVERYTHING: Mapping[str, Any] = {
    "filename": "new name.md",
    "title": "Ünïcode ✓",
    "description": "",
    "tags": ["b", "a", "b"],
    "metadata": {"pages": 2, "deep": {"er": [1, None]}, "gone": None},
}


async def test_an_owner_may_say_something_else(alice: httpx.AsyncClient, bell: Bell) -> None:
    file = await uploaded(alice)
    before = await alice.get(f"/files/{file['id']}")
    bell.rung = 0
    answer = await alice.patch(f"/files/{file['id']}", json=EVERYTHING)
    assert answer.status_code == 200
    view = answer.json()
    assert view.keys() == FIELDS
    assert {name: view[name] for name in EVERYTHING} == EVERYTHING
    assert view["updated_at"] > file["updated_at"]
    unchanged = FIELDS - EVERYTHING.keys() - {"updated_at"}
    assert {name: view[name] for name in unchanged} == {name: file[name] for name in unchanged}
    after = await alice.get(f"/files/{file['id']}")
    assert answer.headers["ETag"] == after.headers["ETag"] != before.headers["ETag"]
    assert {name: after.json()[name] for name in FIELDS} == view
    assert bell.rung == 0  # nothing is processed again
    content = await alice.get(f"/files/{file['id']}/content")
    assert "new name.md" in content.headers["Content-Disposition"]


@pytest.mark.parametrize("headers", [JSON, MERGE])
async def test_null_clears_and_what_is_left_out_stays(
    alice: httpx.AsyncClient, headers: Mapping[str, str]
) -> None:
    file = await uploaded(alice)
    cleared: Mapping[str, Any] = {"title": None, "description": None, "tags": [], "metadata": {}}
    for name, empty in cleared.items():
        await alice.patch(f"/files/{file['id']}", json=EVERYTHING)
        body = json.dumps({name: None})
        answer = await alice.patch(f"/files/{file['id']}", content=body, headers=headers)
        assert answer.status_code == 200
        view = answer.json()
        assert {field: view[field] for field in EVERYTHING} == {**EVERYTHING, name: empty}


async def test_metadata_is_merged_by_a_merge_patch_and_else_replaced(
    alice: httpx.AsyncClient,
) -> None:
    file = await uploaded(alice)
    before = {"keep": 1, "drop": 2, "deep": {"keep": 1, "drop": 2}, "list": [1, 2]}
    sent = {"metadata": {"drop": None, "deep": {"drop": None, "new": {"x": None}}, "list": [3]}}
    for headers, expected in (
        (MERGE, {"keep": 1, "deep": {"keep": 1, "new": {}}, "list": [3]}),
        ({"Content-Type": "Application/JSON; charset=UTF-8"}, sent["metadata"]),
    ):
        await alice.patch(f"/files/{file['id']}", json={"metadata": before})
        answer = await alice.patch(
            f"/files/{file['id']}", content=json.dumps(sent), headers=headers
        )
        assert answer.json()["metadata"] == expected


async def test_saying_the_same_changes_nothing(alice: httpx.AsyncClient) -> None:
    file = await uploaded(alice)
    first = await alice.patch(f"/files/{file['id']}", json=EVERYTHING)
    for body in (EVERYTHING, {}, {"title": EVERYTHING["title"]}):
        again = await alice.patch(f"/files/{file['id']}", json=body)
        assert (again.status_code, again.json()) == (200, first.json())
        assert again.headers["ETag"] == first.headers["ETag"]


async def test_a_stale_version_is_412_and_changes_nothing(
    alice: httpx.AsyncClient, worker: Worker
) -> None:
    file = await uploaded(alice)
    url = f"/files/{file['id']}"
    stale = (await alice.get(url)).headers["ETag"]
    await worker.process(alice, file["id"])
    current = (await alice.get(url)).headers["ETag"]
    for tag in (stale, f"W/{current}", current.strip('"'), '"x"', '""', "", "nonsense", '"*"',
                f"{stale}, W/{current}", '"' + "9" * 30 + '"'):  # fmt: skip
        answer = await alice.patch(url, json={"title": "new"}, headers={"If-Match": tag})
        assert answer.status_code == 412, tag
        assert answer.json()["type"] == "/problems/precondition-failed"
        assert (await alice.get(url)).json()["title"] is None
    assert (await alice.get(url)).headers["ETag"] == current


@pytest.mark.parametrize("form", ["{}", "*", ' "0" , {} ', '"7",{}'])
async def test_the_current_version_and_any_version_pass(
    alice: httpx.AsyncClient, form: str
) -> None:
    url = f"/files/{(await uploaded(alice))['id']}"
    etag = (await alice.get(url)).headers["ETag"]
    answer = await alice.patch(
        url, json={"title": "new"}, headers={"If-Match": form.replace("{}", etag)}
    )
    assert (answer.status_code, answer.json()["title"]) == (200, "new")
    chained = await alice.patch(
        url, json={"title": "newer"}, headers={"If-Match": answer.headers["ETag"]}
    )
    assert chained.status_code == 200


async def test_two_headers_are_one_list(alice: httpx.AsyncClient) -> None:
    url = f"/files/{(await uploaded(alice))['id']}"
    etag = (await alice.get(url)).headers["ETag"]
    headers = [("If-Match", '"999"'), ("If-Match", etag)]
    assert (await alice.patch(url, json={"title": "x"}, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"owner_id": str(uuid4())}, "owner_id"),
        ({"status": "processed"}, "status"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"size": 1}, "size"),
        ({"storage_key": "x"}, "storage_key"),
        ({"storage_path": "x"}, "storage_path"),
        ({"created_at": "2026-01-01T00:00:00Z"}, "created_at"),
        ({"uploaded_at": "2026-01-01T00:00:00Z"}, "uploaded_at"),
        ({"id": str(uuid4())}, "id"),
        ({"media_type": "text/html"}, "media_type"),
        ({"version": 9}, "version"),
        ({"original_filename": "x"}, "original_filename"),
        ({"details": {}}, "details"),
        ({"title": "x" * 256}, "title"),
        ({"title": "a\x00"}, "title"),
        ({"title": 1}, "title"),
        ({"title": ["x"]}, "title"),
        ({"description": "x" * 10_001}, "description"),
        ({"tags": ["x"] * 51}, "tags"),
        ({"tags": ["x" * 65]}, "tags"),
        ({"tags": [""]}, "tags"),
        ({"tags": ["\x00"]}, "tags"),
        ({"tags": [1]}, "tags.0"),
        ({"tags": "x"}, "tags"),
        ({"tags": {"a": 1}}, "tags"),
        ({"metadata": {"a": "x" * 16 * 1024}}, "metadata"),
        ({"metadata": {"a": "\x00"}}, "metadata"),
        ({"metadata": []}, "metadata"),
        ({"metadata": "x"}, "metadata"),
        ({"filename": None}, "filename"),
        ({"filename": ""}, "filename"),
        ({"filename": "x" * 256}, "filename"),
        ({"filename": "///"}, "filename"),
        ({"filename": "\u202e"}, "filename"),
        ({"filename": 1}, "filename"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_changed(
    alice: httpx.AsyncClient, change: Mapping[str, Any], field: str
) -> None:
    url = f"/files/{(await uploaded(alice))['id']}"
    before = await alice.get(url)
    answer = await alice.patch(url, json={"title": "good", **change})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    after = await alice.get(url)
    assert (after.json(), after.headers["ETag"]) == (before.json(), before.headers["ETag"])


async def test_limits_are_in_characters_and_all_of_them_fit_at_once(
    alice: httpx.AsyncClient,
) -> None:
    longest = {
        "filename": "\U0001f600" * 255,
        "title": "\U0001f600" * 255,
        "description": "\U0001f600" * 10_000,
        "tags": [chr(0x1F600 + n) * 64 for n in range(50)],
        "metadata": {"x": "y" * (16 * 1024 - 9)},
    }
    url = f"/files/{(await uploaded(alice))['id']}"
    answer = await alice.patch(url, content=json.dumps(longest), headers=JSON)  # escaped
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in longest} == longest


async def test_a_name_is_cleaned_as_at_an_upload(alice: httpx.AsyncClient) -> None:
    url = f"/files/{(await uploaded(alice))['id']}"
    answer = await alice.patch(url, json={"filename": "../\u202ee\u0301vil\\x/gpj.exe"})
    assert answer.json()["filename"] == "gpj.exe"


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/json-patch+json", "application/json; charset=utf-16", "application/xml"],
)  # fmt: skip
async def test_another_type_of_body_is_415(alice: httpx.AsyncClient, content_type: str) -> None:
    url = f"/files/{(await uploaded(alice))['id']}"
    answer = await alice.patch(
        url, content=b'{"title": "x"}', headers={"Content-Type": content_type}
    )
    assert answer.status_code == 415
    assert (await alice.get(url)).json()["title"] is None


async def test_a_content_encoding_is_415(alice: httpx.AsyncClient) -> None:
    url = f"/files/{(await uploaded(alice))['id']}"
    answer = await alice.patch(url, json={}, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b'{"title": "x", "title": "y"}', 400), (b"[]", 422),
        (b'"title"', 422), (b"null", 422), (b'{"title": "\\ud800"}', 400), (b"\xff", 400),
        (b'{"metadata": {"n": NaN}}', 400), (b'{"metadata": {"n": 1e999}}', 400),
        (b'{"metadata": {"n": ' + b"9" * 5000 + b"}}", 400),
        (b'{"metadata": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}", 400),
        (b'{"title": "' + b"x" * 300_000 + b'"}', 413),
    ],
)  # fmt: skip
async def test_broken_bodies(alice: httpx.AsyncClient, body: bytes, status: int) -> None:
    url = f"/files/{(await uploaded(alice))['id']}"
    for headers in (JSON, MERGE):
        assert (await alice.patch(url, content=body, headers=headers)).status_code == status


@pytest.mark.parametrize("depth", [100, 200, 300, 400, 500, 600, 700, 800, 900, 950])
async def test_deep_metadata_is_kept_or_refused(alice: httpx.AsyncClient, depth: int) -> None:
    url = f"/files/{(await uploaded(alice))['id']}"
    body = b'{"metadata": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    for headers in (JSON, MERGE):
        answer = await alice.patch(url, content=body, headers=headers)
        assert answer.status_code in (200, 400, 422)
        assert (await alice.get(url)).status_code == 200


async def test_nobody_elses_file_is_changed(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    file = await uploaded(alice)
    for headers in ({}, {"If-Match": "*"}, {"If-Match": '"1"'}, {"If-Match": '"0"'}):
        theirs = await bob.patch(f"/files/{file['id']}", json={"title": "x"}, headers=headers)
        absent = await bob.patch(f"/files/{uuid4()}", json={"title": "x"}, headers=headers)
        bodies = [{**answer.json(), "trace_id": ""} for answer in (theirs, absent)]
        assert theirs.status_code == absent.status_code == 404
        assert bodies[0] == bodies[1]
    for body in (b"{", b'{"status": 1}', b"x" * 300_000):
        answer = await bob.patch(f"/files/{file['id']}", content=body, headers=JSON)
        assert answer.status_code == 404
    assert (await alice.get(f"/files/{file['id']}")).json()["title"] is None


async def test_a_query_is_refused(alice: httpx.AsyncClient) -> None:
    url = f"/files/{(await uploaded(alice))['id']}"
    assert (await alice.patch(f"{url}?force=true", json={})).status_code == 422


async def test_processing_does_not_undo_an_edit(alice: httpx.AsyncClient, worker: Worker) -> None:
    file = await uploaded(alice)
    await alice.patch(f"/files/{file['id']}", json=EVERYTHING)
    view = await worker.process(alice, file["id"])
    assert view["status"] == "processed"
    assert {name: view[name] for name in EVERYTHING} == EVERYTHING
    await alice.patch(f"/files/{file['id']}", json={"title": "after"})
    view = (await alice.get(f"/files/{file['id']}")).json()
    assert (view["title"], view["status"], len(view["renditions"])) == ("after", "processed", 3)
