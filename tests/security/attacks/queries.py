"""3.8: queries of lists."""

from typing import Any, Final
from urllib.parse import quote

from security.attack import Answers, Table
from security.stand import Stand

rows = Table()

LISTS: Final = ("/files", "/jobs")
PAGES: Final = ("-1", "0", "abc", "1e3", "1" + "0" * 30, "9" * 5000, "%00", "1&page=2", "", "1.0",
                "+1", "%201", "\u0661", "0x10", "1_0")  # fmt: skip
SIZES: Final = ("0", "-5", "1000000", "101", "abc", "", "1e1", "10&page_size=20")


@rows.act("Q1", "pages that are none", 422)
async def pages(stand: Stand) -> Answers:
    return [await stand.ask("GET", f"{place}?page={page}") for place in LISTS for page in PAGES]


@rows.act("Q2", "sizes of pages that are none", 422)
async def page_sizes(stand: Stand) -> Answers:
    names = ("page_size", "limit", "offset")
    return [
        await stand.ask("GET", f"{place}?{name}={size}")
        for place in LISTS
        for name in names
        for size in SIZES
    ]


@rows.act("Q2", "a page far beyond the end", 200)
async def far_pages(stand: Stand) -> Answers:
    answers = [await stand.ask("GET", f"{place}?page=1000000") for place in LISTS]
    assert [answer.json()["items"] for answer in answers] == [[], []]
    return answers


@rows.act("Q3", "a cursor that was edited, another user's, another list's, of 60 kB", 422)
async def cursors(stand: Stand) -> Answers:
    for who in ("alice", "bob"):
        for _ in range(3):
            await stand.upload(who=who)
    found: dict[str, Any] = (await stand.ask("GET", "/files?page_size=1")).json()
    mine = str(found["next_cursor"])
    assert (await stand.ask("GET", f"/files?page_size=1&cursor={mine}")).status_code == 200
    theirs = (await stand.ask("GET", "/files?page_size=1", who="bob")).json()["next_cursor"]
    edited = [
        mine[:-2] + ("A" if mine[-2] != "A" else "B") + mine[-1],
        mine[1:],
        mine + "A",
        mine + "=",
    ]
    bad = [
        theirs,
        *edited,
        "",
        "x",
        "\u00fc",
        "a" * 60_000,
        "%00",
        "../x",
        f"{mine}&cursor={mine}",
    ]
    other = (f"/files?page_size=1&sort=size&cursor={mine}", f"/files?tag=t&cursor={mine}",
             f"/jobs?cursor={mine}", f"/files?page=1&cursor={mine}")  # fmt: skip
    return [
        *[await stand.ask("GET", f"/files?page_size=1&cursor={cursor}") for cursor in bad],
        *[await stand.ask("GET", path) for path in other],
    ]


@rows.act("Q4", "orders that are none", 422)
async def orders(stand: Stand) -> Answers:
    sorts = ("password_hash", "id;DROP TABLE files", "--", "-", "uploaded_at,size", "UPLOADED_AT",
             "owner_id", "storage_path", "", "+size")  # fmt: skip
    return [
        *[await stand.ask("GET", f"/files?sort={quote(sort)}") for sort in sorts],
        await stand.ask("GET", "/files?order=--"),
        await stand.ask("GET", "/files?sort=size&sort=filename"),
    ]


WORDS: Final = ("' OR 1=1--", "%", "_", "\\", '"*:NEAR(', "\x00", "x" * 10_000, "a" * 500, '"', "*",
                "NEAR/2", "AND OR NOT", "a" + " a" * 300, "^x", "{}", "col:x", "(", "")  # fmt: skip


@rows.act("Q5", "words that mean something to a database", (200, 422))
async def words(stand: Stand) -> Answers:
    mine = await stand.upload(name="a%b_c.txt")
    answers = []
    for name in ("q", "filename", "tag", "media_type"):
        for word in WORDS:
            answers.append(await stand.client().get("/files", params={name: word}))
    for answer in answers:
        if answer.status_code == 200:
            found = {item["owner_id"] for item in answer.json()["items"]}
            assert found <= {stand.ids["alice"]}
    for wild in ("a%c", "a_b", "%%%", "___"):
        listed = (await stand.client().get("/files", params={"filename": wild})).json()["items"]
        assert mine["id"] not in {item["id"] for item in listed}, wild
    return answers


@rows.act("Q6", "times that are none", 422)
async def times(stand: Stand) -> Answers:
    values = ("9999-99-99", "infinity", "now", "2026-02-30T00:00:00Z", "1e9", "", "2026", "%00",
              "0001-01-01", "2026-01-01T25:00:00Z", "10000-01-01T00:00:00Z")  # fmt: skip
    return [
        await stand.ask("GET", f"/files?{name}={value}")
        for name in ("uploaded_after", "uploaded_before")
        for value in values
    ]


@rows.act("Q8", "a walk by cursor, while files come and go", 200)
async def a_walk(stand: Stand) -> Answers:
    client = await stand.join("walker")
    stable = [(await stand.upload(who="walker"))["id"] for _ in range(40)]
    passing = [(await stand.upload(who="walker"))["id"] for _ in range(20)]
    seen: list[str] = []
    path, answers = "/files?page_size=7", []
    while path:
        answers.append(await client.get(path))
        page = answers[-1].json()
        seen += [item["id"] for item in page["items"]]
        for _ in range(3):
            await stand.upload(who="walker")
            if passing:
                await client.delete(f"/files/{passing.pop(len(passing) // 2)}")
        cursor = page["next_cursor"]
        path = f"/files?page_size=7&cursor={cursor}" if cursor else ""
    assert len(seen) == len(set(seen))
    assert set(stable) <= set(seen)
    return answers
