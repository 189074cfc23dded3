"""GET /files: pages, cursors, filters, order, search."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from docstore.application import listing

from .conftest import A_PNG, Worker
from .test_files import FIELDS, uploaded

pytestmark = pytest.mark.anyio

EDITED = {
    "title": "Große <b>Übersicht</b> & more",
    "description": "The lamp was lit at dusk.",
    "tags": ["sea", "Two words"],
}


def names(answer: httpx.Response) -> Sequence[str]:
    assert answer.status_code == 200, answer.text
    return [item["filename"] for item in answer.json()["items"]]


@pytest.fixture
async def shelf(alice: httpx.AsyncClient) -> Sequence[Mapping[str, Any]]:
    """Files of several names, sizes and types, in the order of their upload."""
    bodies = {"b.txt": b"22", "C.png": A_PNG, "a.txt": b"1", "Ärger_100%.md": b"# 333"}
    files = []
    for name, body in bodies.items():
        answer = await alice.post("/files", content=body, params={"filename": name})
        files.append(answer.json())
    answer = await alice.patch(f"/files/{files[0]['id']}", json=EDITED)
    assert answer.status_code == 200
    return files


async def test_files_are_listed_newest_first_in_pages(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    for n in range(5):
        await uploaded(alice, f"{n}.txt")
    await uploaded(bob, "bob.txt")
    answer = await alice.get("/files?page=2&page_size=2")
    page = answer.json()
    assert answer.status_code == 200
    assert page.keys() == {"items", "page", "page_size", "total", "next_cursor"}
    assert names(answer) == ["2.txt", "1.txt"]
    assert page["items"][0].keys() == FIELDS
    assert (page["page"], page["page_size"], page["total"]) == (2, 2, 5)
    assert answer.links.keys() == {"first", "prev", "next", "last"}
    assert answer.links["next"]["url"] == "/files?page=3&page_size=2"
    assert answer.links["last"]["url"] == "/files?page=3&page_size=2"
    last = await alice.get(answer.links["last"]["url"])
    assert (names(last), last.json()["next_cursor"]) == (["0.txt"], None)
    assert last.links.keys() == {"first", "prev", "last"}


async def test_the_first_the_last_and_no_page(alice: httpx.AsyncClient) -> None:
    empty = await alice.get("/files")
    assert (empty.json()["items"], empty.json()["total"]) == ([], 0)
    assert (empty.json()["page"], empty.json()["page_size"]) == (1, 20)
    assert empty.links.keys() == {"first", "last"}
    await uploaded(alice)
    only = await alice.get("/files?page=1&page_size=100")
    assert len(only.json()["items"]) == 1
    assert only.links.keys() == {"first", "last"}
    beyond = await alice.get("/files?page=1000000")
    assert (beyond.status_code, beyond.json()["items"], beyond.json()["total"]) == (200, [], 1)
    assert beyond.links.keys() == {"first", "last"}
    assert (await alice.head("/files")).status_code == 200


async def test_a_cursor_goes_on_where_the_page_ended(
    alice: httpx.AsyncClient, shelf: Sequence[Mapping[str, Any]]
) -> None:
    answer = await alice.get("/files?page_size=3&sort=filename")
    assert (names(answer), answer.json()["page"]) == (["C.png", "a.txt", "b.txt"], 1)
    cursor = answer.json()["next_cursor"]
    rest = await alice.get(f"/files?page_size=3&sort=filename&cursor={cursor}")
    assert names(rest) == ["Ärger_100%.md"]
    view = rest.json()
    assert view.keys() == {"items", "page", "page_size", "next_cursor"}
    assert (view["page"], view["page_size"], view["next_cursor"]) == (None, 3, None)
    assert rest.links.keys() == {"first"}
    counted = await alice.get(f"/files?page_size=3&sort=filename&total=exact&cursor={cursor}")
    assert "total" not in counted.json()


@pytest.mark.parametrize("sort", ["uploaded_at", "-uploaded_at", "filename", "-filename", "size"])
async def test_a_walk_by_link_meets_each_once(
    alice: httpx.AsyncClient, shelf: Sequence[Mapping[str, Any]], sort: str
) -> None:
    whole = names(await alice.get(f"/files?sort={sort}"))
    assert sorted(whole) == sorted(file["filename"] for file in shelf)
    answer = await alice.get(f"/files?page_size=1&sort={sort}")
    answer = await alice.get(
        "/files", params={"page_size": 1, "sort": sort, "cursor": answer.json()["next_cursor"]}
    )
    walked = [whole[0], *names(answer)]
    while "next" in answer.links:
        answer = await alice.get(answer.links["next"]["url"])
        walked += names(answer)
    assert walked == whole


async def test_a_cursor_is_good_for_its_owner_its_filters_and_its_order_alone(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    for client in (alice, bob):
        for n in range(3):
            await uploaded(client, f"{n}.txt")
    query = "page_size=1&filename=txt&sort=size"
    cursor = (await alice.get(f"/files?{query}")).json()["next_cursor"]
    assert (await alice.get(f"/files?{query}&cursor={cursor}")).status_code == 200
    wider = await alice.get(f"/files?page_size=2&filename=txt&sort=size&cursor={cursor}")
    assert wider.status_code == 200
    for client, other in (
        (bob, query),
        (alice, "page_size=1&sort=size"),
        (alice, "page_size=1&filename=t&sort=size"),
        (alice, "page_size=1&filename=txt&sort=-size"),
        (alice, "page_size=1&filename=txt&sort=size&q=txt"),
        (alice, "page_size=1&filename=txt&sort=size&status=uploaded"),
    ):
        answer = await client.get(f"/files?{other}&cursor={cursor}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor"), other
    assert (await alice.get(f"/jobs?page_size=1&cursor={cursor}")).status_code == 422


async def test_an_edited_cursor_is_422(alice: httpx.AsyncClient) -> None:
    for n in range(2):
        await uploaded(alice, f"{n}.txt")
    cursor = (await alice.get("/files?page_size=1")).json()["next_cursor"]
    edited = [cursor[:n] + ("A" if cursor[n] != "A" else "B") + cursor[n + 1 :] for n in
              range(len(cursor))]  # fmt: skip
    edited += [cursor[:-1], cursor + "A", cursor + "=", cursor + "==", f" {cursor}", cursor * 2]
    edited += ["", "x", "=", "%00", "null", "..", "\u00e9", "\uff11", "A" * 60_000]
    for wrong in edited:
        answer = await alice.get(f"/files?page_size=1&cursor={quote(wrong)}")
        assert answer.status_code == 422, wrong[:200]
        assert len(answer.content) < 1000


async def test_a_cursor_and_a_page_together_are_422(alice: httpx.AsyncClient) -> None:
    for n in range(2):
        await uploaded(alice, f"{n}.txt")
    cursor = (await alice.get("/files?page_size=1")).json()["next_cursor"]
    for page in ("page=1", "page=2", "page=1&page_size=1"):
        assert (await alice.get(f"/files?{page}&cursor={cursor}")).status_code == 422


async def test_the_total_is_exact_up_to_a_number_and_beyond_on_request(
    alice: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "COUNTED", 3)
    for n in range(3):
        await uploaded(alice, f"{n}.txt")
    for query in ("", "&filename=txt", "&status=uploaded"):
        assert (await alice.get(f"/files?page_size=1{query}")).json()["total"] == 3
    await uploaded(alice, "3.txt")
    for query in ("", "&filename=txt", "&status=uploaded"):
        answer = await alice.get(f"/files?page=2&page_size=1{query}")
        assert answer.json()["total"] is None
        assert answer.links.keys() == {"first", "prev", "next"}
        exact = await alice.get(f"/files?page=2&page_size=1&total=exact{query}")
        assert exact.json()["total"] == 4
        assert "total=exact" in exact.links["last"]["url"]
    end = await alice.get("/files?page_size=100")
    assert (len(end.json()["items"]), end.json()["total"]) == (4, None)
    beyond = await alice.get("/files?page=9&page_size=1")
    assert beyond.links.keys() == {"first"}


ASKED = [
    ("", ["Ärger_100%.md", "a.txt", "C.png", "b.txt"]),
    ("sort=uploaded_at", ["b.txt", "C.png", "a.txt", "Ärger_100%.md"]),
    ("sort=filename", ["C.png", "a.txt", "b.txt", "Ärger_100%.md"]),
    ("sort=-filename", ["Ärger_100%.md", "b.txt", "a.txt", "C.png"]),
    ("sort=size", ["a.txt", "b.txt", "Ärger_100%.md", "C.png"]),
    ("sort=-size", ["C.png", "Ärger_100%.md", "b.txt", "a.txt"]),
    ("media_type=image/png", ["C.png"]),
    ("media_type=IMAGE/*", ["C.png"]),
    ("media_type=text/*&sort=size", ["a.txt", "b.txt", "Ärger_100%.md"]),
    ("media_type=audio/*", []),
    ("tag=sea", ["b.txt"]),
    ("tag=Two+words", ["b.txt"]),
    ("tag=words", []),
    ("filename=TXT", ["a.txt", "b.txt"]),
    ("filename=%25", ["Ärger_100%.md"]),
    ("filename=_", ["Ärger_100%.md"]),
    ("filename=%5C", []),
    ("filename=%C3%A4rger", ["Ärger_100%.md"]),
    ("q=LAMP", ["b.txt"]),
    ("q=dusk+b.t+sea", ["b.txt"]),
    ("q=dusk+a.txt", []),
    ("q=gross", ["b.txt"]),
    ("q=%25", ["Ärger_100%.md"]),
    ("q=txt&sort=filename", ["a.txt", "b.txt"]),
    ("q=%27%20OR%201%3D1--", []),
    ("q=%22%2A%3ANEAR%28", []),
    ("status=uploaded&media_type=text/*&filename=a", ["a.txt"]),
    ("status=processing", []),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), ASKED)
async def test_what_is_asked_for_is_listed(
    alice: httpx.AsyncClient, shelf: Sequence[Mapping[str, Any]], query: str,
    expected: Sequence[str],
) -> None:  # fmt: skip
    answer = await alice.get(f"/files?{query}")
    assert names(answer) == expected
    assert answer.json()["total"] == len(expected)


async def test_the_status_is_that_of_the_moment(alice: httpx.AsyncClient, worker: Worker) -> None:
    file = await uploaded(alice)
    assert names(await alice.get("/files?status=uploaded")) == ["a.txt"]
    await worker.process(alice, file["id"])
    assert names(await alice.get("/files?status=uploaded")) == []
    assert names(await alice.get("/files?status=processed")) == ["a.txt"]


async def test_a_time_counts_from_then_on_and_to_before_then(
    alice: httpx.AsyncClient, shelf: Sequence[Mapping[str, Any]]
) -> None:
    second = shelf[1]["uploaded_at"]
    whole = [file["filename"] for file in shelf]
    query = {"sort": "uploaded_at"}
    from_then = await alice.get("/files", params={**query, "uploaded_after": second})
    before = await alice.get("/files", params={**query, "uploaded_before": second})
    assert (names(from_then), names(before)) == (whole[1:], whole[:1])
    assert before.links["first"]["url"].startswith("/files?page=1&page_size=20&")
    assert names(await alice.get(before.links["first"]["url"])) == whole[:1]
    moved = datetime.fromisoformat(second) - timedelta(hours=0)
    for spelled in (
        second.lower(),
        second.replace("Z", "+00:00"),
        (moved + timedelta(hours=2)).isoformat().replace("+00:00", "+02:00"),
        (moved - timedelta(hours=5, minutes=30)).isoformat().replace("+00:00", "-05:30"),
    ):
        answer = await alice.get("/files", params={**query, "uploaded_after": spelled})
        assert names(answer) == whole[1:], spelled
    assert names(await alice.get("/files?uploaded_after=9999-12-31T23:59:59Z")) == []


async def test_links_keep_what_was_asked(
    alice: httpx.AsyncClient, shelf: Sequence[Mapping[str, Any]]
) -> None:
    query = {"filename": 't&x="<>', "tag": "Two words", "sort": "-size", "q": "ä+"}
    url = (await alice.get("/files", params=query)).links["first"]["url"]
    assert httpx.URL(url).params == httpx.QueryParams({"page": 1, "page_size": 20, **query})
    answer = await alice.get("/files?media_type=text/*&page_size=1&sort=size")
    assert names(await alice.get(answer.links["next"]["url"])) == ["b.txt"]
    assert names(await alice.get(answer.links["last"]["url"])) == ["Ärger_100%.md"]


async def test_a_search_says_why_and_says_it_safely(
    alice: httpx.AsyncClient, shelf: Sequence[Mapping[str, Any]]
) -> None:
    (item,) = (await alice.get("/files?q=GROSSE+%3Cb%3E+sea+b.t")).json()["items"]
    assert item.keys() == FIELDS | {"highlight"}
    assert item["highlight"] == (
        "<mark>b.t</mark>xt … "
        "<mark>Große</mark> <mark>&lt;b&gt;</mark>Übersicht&lt;/b&gt; &amp; more … "
        "<mark>sea</mark>"
    )


async def test_without_a_search_there_is_no_highlight(
    alice: httpx.AsyncClient, shelf: Sequence[Mapping[str, Any]]
) -> None:
    for item in (await alice.get("/files?filename=txt")).json()["items"]:
        assert "highlight" not in item


BAD = [
    "page=0", "page=-1", "page=abc", "page=1e3", "page=1" + "0" * 30, "page=" + "9" * 5000,
    "page=%00", "page=1&page=2", "page=1.0", "page=%201", "page=1_0", "page=", "page=\u0663",
    "page_size=0", "page_size=101", "page_size=-5", "page_size=1000000",
    "limit=5", "owner_id=x", "page=%ff", "&".join(["a=1"] * 200),
    "sort=password_hash", "sort=id;DROP", "sort=", "sort=%2Bsize", "sort=SIZE", "order=--",
    "sort=size,filename", "sort=size&sort=size", "sort=--size",
    "status=", "status=done", "status=PROCESSED", "status=failed&status=failed",
    "media_type=", "media_type=image", "media_type=*/*", "media_type=image/", "media_type=%25/%25",
    "media_type=text/plain;charset=utf-8", "media_type=a/b/c", "media_type=" + "a" * 200 + "/*",
    "tag=", "tag=" + "x" * 65, "tag=%00", "tag=a&tag=b",
    "filename=", "filename=" + "x" * 256, "filename=a%00",
    "q=", "q=%20%09", "q=%00", "q=" + "x" * 10_000, "q=" + "+".join(map(str, range(33))),
    "q=a&q=b", "total=", "total=10", "total=EXACT", "total=exact&total=exact", "highlight=1",
    "uploaded_after=", "uploaded_after=9999-99-99", "uploaded_after=infinity",
    "uploaded_after=0001-01-01", "uploaded_after=0001-01-01T00:00:00Z", "uploaded_after=now",
    "uploaded_after=2026-01-01", "uploaded_after=2026-01-01T00:00:00", "uploaded_after=0",
    "uploaded_after=20260101T000000Z", "uploaded_after=2026-01-01%2000:00:00Z",
    "uploaded_after=2026-02-30T00:00:00Z", "uploaded_after=2026-01-01T24:00:00Z",
    "uploaded_after=9999-12-31T23:59:59-01:00", "uploaded_after=2026-01-01T00:00:00%2B99:00",
    "uploaded_after=2026-01-01T00:00:00Z%00", "uploaded_after=1767225600",
    "uploaded_before=-infinity", "uploaded_before=\u0662026-01-01T00:00:00Z",
    "uploaded_before=2026-01-01T00:00:00Z&uploaded_before=2026-01-01T00:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("query", BAD)
async def test_a_bad_listing_is_422(alice: httpx.AsyncClient, query: str) -> None:
    answer = await alice.get(f"/files?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert not any(word in answer.text for word in ("SELECT", "sqlite", "Traceback"))


async def test_all_that_is_wrong_is_named_at_once(alice: httpx.AsyncClient) -> None:
    answer = await alice.get("/files?tag=%00&q=%20&media_type=x")
    fields = [error["field"] for error in answer.json()["errors"]]
    assert sorted(fields) == ["media_type", "q", "tag"]


async def test_a_walk_meets_all_that_stay_whatever_comes_and_goes(
    alice: httpx.AsyncClient,
) -> None:
    stable = {(await uploaded(alice, f"{n}.txt"))["id"] for n in range(20)}
    passing = [(await uploaded(alice, f"{n}.tmp"))["id"] for n in range(10)]

    async def disturb() -> None:
        for file_id in passing:
            await alice.delete(f"/files/{file_id}")
            await uploaded(alice, "new.txt")
            await asyncio.sleep(0)

    disturbing = asyncio.create_task(disturb())
    walked: list[str] = []
    url = "/files?page_size=3&sort=filename"
    while url:
        page = (await alice.get(url)).json()
        walked += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        url = cursor and f"/files?page_size=3&sort=filename&cursor={cursor}"
    await disturbing
    assert len(walked) == len(set(walked))
    assert stable <= set(walked)
