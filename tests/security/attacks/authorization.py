"""3.2: who may."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import httpx

from docstore.domain.ids import JobId
from security.attack import Answers, Table, headers_of
from security.stand import ABSENT, Stand

rows = Table()

A_FILE: Final = (
    ("GET", "/files/{}"), ("HEAD", "/files/{}"), ("PATCH", "/files/{}"), ("DELETE", "/files/{}"),
    ("GET", "/files/{}/content"), ("HEAD", "/files/{}/content"), ("GET", "/files/{}/text"),
    ("GET", "/files/{}/renditions/thumbnail"), ("POST", "/files/{}/retry"),
    ("POST", "/files/{}/retry?force=true"), ("GET", "/download?key={}"),
)  # fmt: skip
"""Every way to a file."""

READ_ONLY: Final[dict[str, Any]] = {
    "owner_id": ABSENT, "id": ABSENT, "status": "processed", "sha256": "0" * 64, "size": 1,
    "storage_key": "x", "storage_path": "x", "key": "x", "created_at": "2020-01-01T00:00:00Z",
    "media_type": "text/html", "version": 7, "is_admin": True,
}  # fmt: skip


async def each_way(stand: Stand, ident: str, who: str = "bob") -> Sequence[httpx.Response]:
    return [
        await stand.ask(
            method,
            path.format(ident),
            who=who,
            json={"title": "mine"} if method == "PATCH" else None,
        )
        for method, path in A_FILE
    ]


def without_trace(answer: httpx.Response) -> tuple[int, Any, Any]:
    body = {**answer.json(), "trace_id": ""} if answer.content else None
    return answer.status_code, body, headers_of(answer)


@rows.act("Z1", "another's file and its job, in every way", 404)
async def another_s(stand: Stand) -> Answers:
    file = await stand.upload()
    view = await stand.process(file)
    theirs, absent = await each_way(stand, file["id"]), await each_way(stand, ABSENT)
    assert list(map(without_trace, theirs)) == list(map(without_trace, absent))
    by_key = await stand.ask("GET", f"/download?key={file['key']}", who="bob")
    job = await stand.ask("GET", f"/jobs/{view['jobs'][0]['id']}", who="bob")
    nobody_s = await stand.ask("GET", f"/jobs/{ABSENT}", who="bob")
    assert without_trace(job) == without_trace(nobody_s)
    assert (await stand.ask("GET", f"/files/{file['id']}")).json() == view
    return [*theirs, by_key, job]


@rows.act("Z3", "a list asked for in another's name", 422)
async def another_s_list(stand: Stand) -> Answers:
    file = await stand.upload()
    for place in ("/files?page_size=100", "/files?filename=a", "/jobs?page_size=100"):
        assert file["id"] not in (await stand.ask("GET", place, who="bob")).text
    return [
        await stand.ask("GET", f"{place}?{name}={stand.ids['alice']}", who="bob")
        for place in ("/files", "/jobs")
        for name in ("owner_id", "user_id", "owner")
    ]


@rows.act("Z4", "changes to what is not the client's to change", 422)
async def read_only_fields(stand: Stand) -> Answers:
    file = await stand.upload()
    place = f"/files/{file['id']}"
    before = (await stand.client().get(place)).json()
    answers = [
        await stand.client().patch(place, json={"title": "x", name: value})
        for name, value in READ_ONLY.items()
    ]
    assert (await stand.client().get(place)).json() == before
    return answers


@rows.act("Z5", "an id in other spellings", 404)
async def other_spellings(stand: Stand) -> Answers:
    ident = (await stand.upload())["id"]
    assert (await stand.ask("GET", f"/files/{ident.upper()}")).json()["id"] == ident
    spellings = (
        f"urn:uuid:{ident}", f"{{{ident}}}", ident.replace("-", ""), f"{ident}%00", f" {ident}",
        f"{ident}%20", f"{ident}.json", ident[:-1], f"{ident}0", "\uff10" + ident[1:],
    )  # fmt: skip
    return [await stand.ask("GET", f"/files/{spelling}") for spelling in spellings]


PATHS: Final = (
    "//files", "/files//", "/files/%2e%2e/admin", "/FILES", "/Files", "/files;x", "/files%2f",
    "/files/{}/", "//files/{}", "/files/{}%2fcontent", "/files/{};x", "/files/{}/content;x",
    "/files/%2e/{}", "/./files//{}",
)  # fmt: skip


@rows.act("Z6", "a path in other spellings", (401, 404))
async def other_paths(stand: Stand) -> Answers:
    ident = (await stand.upload())["id"]
    answers = []
    for path in PATHS:
        for who in ("bob", "anon"):
            answers.append(await stand.ask("GET", path.format(ident), who=who))
    # What is not a path at all is 404 with a token; a trailing slash may lead to the same rule.
    return [answer for answer in answers if answer.status_code != 200]


@rows.act("Z7", "a method in a header", 200)
async def smuggled_method(stand: Stand) -> Answers:
    place = f"/files/{(await stand.upload())['id']}"
    names = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
    answers = [await stand.ask("GET", place, headers=[(name, "DELETE")]) for name in names]
    return [*answers, await stand.ask("GET", place)]


@rows.act("Z8", "another host, and another address, in headers", (200, 201))
async def another_host(stand: Stand) -> Answers:
    headers = [
        ("X-Forwarded-Host", "evil.example"), ("X-Original-URL", "/admin"),
        ("X-Rewrite-URL", "/admin"), ("Forwarded", "host=evil.example"),
        ("X-Forwarded-Prefix", "/evil"),
    ]  # fmt: skip
    made = await stand.ask("POST", "/files?filename=a", content=b"x", headers=headers)
    listed = await stand.ask("GET", "/files", headers=headers)
    for answer in (made, listed):
        assert "evil" not in answer.text + str(answer.headers)
    return [made, listed]


@rows.act("Z8", "a Host with a path or a query in it", (200, 400))
async def strange_host(stand: Stand) -> Answers:
    hosts = ("evil.example/x", "evil.example?x", "a b", "evil.example#x", "user@evil.example")
    answers = [await stand.ask("GET", "/files", headers=[("Host", host)]) for host in hosts]
    for answer in answers:
        assert "evil" not in answer.text + str(answer.headers)
    return answers


@rows.act("Z11", "a hint about a job that is nowhere", 404)
async def forged_hint(stand: Stand) -> Answers:
    """All that a queue carries is an id: owner and keys come from the row, or there is none."""
    file = await stand.upload()
    before = stand.remains()
    for ident in (uuid4(), UUID(file["id"]), UUID(stand.ids["bob"])):
        await stand.docstore.background.work(JobId(ident))
    assert stand.remains() == before
    assert (await stand.ask("GET", f"/files/{file['id']}")).json()["status"] == "uploaded"
    return await stand.ask("GET", f"/files/{file['id']}", who="bob")


@rows.act("Z12", "the bytes that somebody else has stored", 201)
async def same_bytes(stand: Stand) -> Answers:
    data = b"the very same words"
    answers = [
        await stand.ask("POST", "/files?filename=a.txt", who=who, content=data)
        for who in ("alice", "bob", "bob")
    ]
    first, second, third = (answer.json() for answer in answers)
    its_own = {"id", "owner_id", "key", "links", "uploaded_at", "updated_at"}
    assert [n for n in first if first[n] != second[n]] == [n for n in first if n in its_own]
    assert second["id"] != third["id"]
    assert (await stand.client().delete(f"/files/{first['id']}")).status_code == 204
    left = await stand.ask("GET", f"/files/{second['id']}/content", who="bob")
    assert left.content == data
    return answers


@rows.act("Z13", "another's ETag", 404)
async def another_s_etag(stand: Stand) -> Answers:
    file = await stand.upload()
    answers = []
    for place in (f"/files/{file['id']}", f"/files/{file['id']}/content"):
        etag = (await stand.ask("GET", place)).headers["ETag"]
        for value in (etag, "*"):
            answers.append(
                await stand.ask("GET", place, who="bob", headers=[("If-None-Match", value)])
            )
    return answers


ORIGINS: Final = ("null", "https://evil.example", "https://app.example.evil", "https://app.exampl")


@rows.act("Z14", "other origins", (200, 204))
async def other_origins(stand: Stand) -> Answers:
    answers = []
    for origin in ORIGINS:
        headers = [("Origin", origin), ("Access-Control-Request-Method", "DELETE")]
        answers += [
            await stand.ask("GET", "/files", headers=headers),
            await stand.ask("OPTIONS", "/files", headers=headers),
        ]
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control")]
    return answers


@rows.act("Z14", "other origins, where one is allowed", (200, 204, 400),
          cors_origins=("https://app.example",))  # fmt: skip
async def allowed_origin(stand: Stand) -> Answers:
    mine = await stand.ask("GET", "/files", headers=[("Origin", "https://app.example")])
    assert mine.headers["Access-Control-Allow-Origin"] == "https://app.example"
    others = []
    for origin in (*ORIGINS, "http://app.example", "https://app.example:8443"):
        others.append(await stand.ask("GET", "/files", headers=[("Origin", origin)]))
        assert "Access-Control-Allow-Origin" not in others[-1].headers
    return [mine, *others]


@rows.act("Z15", "a path that a cache would take for a style sheet", 404)
async def cache_deception(stand: Stand) -> Answers:
    file = await stand.upload()
    place = f"/files/{file['id']}"
    for path, said in (("", "private, no-store"), ("/content", "private, no-cache")):
        assert (await stand.ask("GET", place + path)).headers["Cache-Control"] == said
    deceptive = ("/content/x.css", "/x.css", "/content.css", "/content%2fx.css")
    return [await stand.ask("GET", place + path) for path in deceptive]


@rows.act("Z16", "500 random ids, and routes for administrators", 404)
async def random_ids(stand: Stand) -> Answers:
    ids = [uuid4() for _ in range(500)]
    found = await asyncio.gather(*(stand.ask("GET", f"/files/{ident}") for ident in ids))
    admin = [
        await stand.ask("GET", path) for path in ("/admin", "/users", "/metrics", "/admin/users")
    ]
    return [*found, *admin]
