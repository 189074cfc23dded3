"""3.9, as far as no socket is needed for it."""

import asyncio
import json
import logging
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from docstore.entrypoints.sampling import BURST, Sampled
from security.attack import Answers, Table
from security.stand import ABSENT, PASSWORD, Stand
from security.wire import resident

rows = Table()

KNOWN: Final = ("/files", "/upload", "/auth/login", "/health", f"/files/{ABSENT}", "/openapi.json")


@rows.act("H5", "methods that are none of ours", 405)
async def methods(stand: Stand) -> Answers:
    answers = []
    for path in KNOWN:
        for method in ("TRACE", "CONNECT", "FOO", "PUT", "PROPFIND"):
            answers.append(await stand.ask(method, path))
            assert answers[-1].headers["Allow"]
    return answers


@rows.act("H6", "an X-Request-ID of one's own", (200, 404))
async def request_ids(stand: Stand) -> Answers:
    answers = []
    for value in ("a\r\nSet-Cookie: x", "x" * 10_000, "../..", "mine", "\x00"):
        headers = [("X-Request-ID", value), ("traceparent", value)]
        answers.append(await stand.ask("GET", "/files", headers=headers))
        answers.append(await stand.ask("GET", f"/files/{ABSENT}", headers=headers))
    for answer in answers:
        assert "Set-Cookie" not in answer.headers
        assert "mine" not in str(answer.headers)
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    return answers


@rows.act("H7", "JSON as text, as a form, as nothing", 415)
async def other_types(stand: Stand) -> Answers:
    place = f"/files/{(await stand.upload())['id']}"
    sign_in = json.dumps({"email": "h7@example.org", "password": PASSWORD}).encode()
    bodies = (("POST", "/auth/register", sign_in), ("POST", "/auth/login", sign_in),
              ("PATCH", place, b'{"title": "x"}'))  # fmt: skip
    kinds: list[list[tuple[str, str]]] = [
        [("Content-Type", kind)]
        for kind in ("text/plain", "application/x-www-form-urlencoded", "text/json", "*/*", "")
    ]
    return [
        await stand.ask(method, path, content=body, headers=headers)
        for method, path, body in bodies
        for headers in [*kinds, []]
    ]


@rows.act("H8", "whatever is refused", (400, 401, 404, 405, 413, 415, 422))
async def refusals(stand: Stand) -> Answers:
    """The other rows refuse in their ways; each refusal of every row is held to the same rule."""
    paths = ("/nope", "/files/../../etc/passwd", "/docs/nope", "/problems/nope", "/%00", "/\u00fc")
    answers = [await stand.ask("GET", path, who=who) for path in paths for who in ("alice", "anon")]
    return [
        *answers,
        await stand.ask("GET", "/files?nope=1"),
        await stand.ask("DELETE", "/upload"),
        await stand.ask(
            "POST", "/auth/login", content=b"{", headers=[("Content-Type", "application/json")]
        ),
    ]


FORWARDED: Final = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "CF-Connecting-IP")


@rows.act("R1", "another address in a header each time", 429, login_rate="5/minute")
async def rotated_addresses(stand: Stand) -> Answers:
    answers = []
    async with stand.stranger("203.0.113.7") as client:
        for number in range(12):
            value = f"198.51.100.{number}"
            headers = {name: value for name in FORWARDED} | {"Forwarded": f"for={value}"}
            credentials = {"email": f"{number}@example.org", "password": "x" * 12}
            answers.append(await client.post("/auth/login", json=credentials, headers=headers))
    assert [answer.status_code for answer in answers[:5]] == [401] * 5
    return answers[5:]


@rows.act("R2", "addresses of one IPv6 network", 429, login_rate="5/minute")
async def one_network(stand: Stand) -> Answers:
    answers = []
    for number in range(12):
        async with stand.stranger(f"2001:db8:1:2:{number:x}::{number:x}") as client:
            credentials = {"email": f"{number}@example.org", "password": "x" * 12}
            answers.append(await client.post("/auth/login", json=credentials))
    assert [answer.status_code for answer in answers[:5]] == [401] * 5
    return answers[5:]


@rows.act("R2", "many tokens of one user, on every path", (201, 429), upload_rate="5/minute")
async def many_tokens(stand: Stand) -> Answers:
    paths = ("/files?filename=a", "/upload?filename=a", "/files?filename=a&title=x")
    answers = []
    for number in range(12):
        token = [("Authorization", f"Bearer {stand.token()}")]
        path = paths[number % len(paths)]
        answers.append(await stand.ask("POST", path, content=b"x", headers=token))
    assert [answer.status_code for answer in answers] == [201] * 5 + [429] * 7
    await stand.upload(who="bob")
    return answers


@rows.act("R5", "a burst at each end of a window", (201, 429), upload_rate="20/second")
async def two_bursts(stand: Stand) -> Answers:
    """Within any second no more than 20 pass; Retry-After is true."""
    answers = []
    passed: list[float] = []
    clock = asyncio.get_running_loop().time
    until = clock() + 2.5
    while clock() < until:
        sent_at = clock()
        answers.append(await stand.ask("POST", "/files?filename=a", content=b"x"))
        if answers[-1].status_code == 201:
            passed.append(clock())
            assert sum(at > sent_at - 0.9 for at in passed) <= 20
        else:
            await asyncio.sleep(0.05)
    refused = [answer for answer in answers if answer.status_code == 429]
    await asyncio.sleep(int(refused[-1].headers["Retry-After"]))
    await stand.upload()
    return answers


@rows.act("X7", "retry pressed 200 times", (202, 409))
async def impatient(stand: Stand) -> Answers:
    file = await stand.upload()
    view = await stand.process(file)
    assert view["status"] == "processed"
    before = stand.remains().count("jobs")
    place = f"/files/{file['id']}/retry?force=true"
    answers = await asyncio.gather(*(stand.ask("POST", place) for _ in range(200)))
    assert [answer.status_code for answer in answers].count(202) == 1
    assert stand.remains().count("jobs") == before + 1
    return answers


class Kept(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


@rows.act("X8", "a thousand bad requests", (400, 401, 404, 422))
async def many_bad_requests(stand: Stand) -> Answers:
    """Each has its line, as every row does; what is written of them is bounded."""
    written: list[logging.LogRecord] = []
    handler = Kept(written)
    handler.addFilter(Sampled())
    logging.getLogger().addHandler(handler)
    try:
        answers = [
            await stand.ask("GET", path, who=who)
            for _ in range(125)
            for path in ("/nope", "/files/nope", "/files?page=0", "/files?%ff=1")
            for who in ("alice", "anon")
        ]
    finally:
        logging.getLogger().removeHandler(handler)
    ours = [record for record in written if record.name.startswith("docstore")]
    assert len(ours) <= BURST * len({(r.name, vars(r).get("code")) for r in ours})
    return answers


@rows.act("X6", "100,000 queued jobs", (200, 201), upload_rate="100000/minute")
async def many_jobs(stand: Stand) -> Answers:
    """What they make slower is measured elsewhere; here, that they do not come to memory."""
    with stand.preparing():
        await stand.upload()
        await asyncio.to_thread(_copy_the_job, stand.root / "docstore.db", 100_000)
    before = resident()
    answers = []
    for _ in range(10):
        answers.append(await stand.ask("GET", "/jobs"))
        answers.append(await stand.ask("GET", "/files"))
        answers.append(await stand.ask("POST", "/files?filename=a", content=b"x"))
    assert resident() - before < 32 * 1024**2
    return answers


def _copy_the_job(database: Path, number: int) -> None:
    with closing(sqlite3.connect(database)) as db:
        names = [row[1] for row in db.execute("PRAGMA table_info(jobs)")]
        told = {"id": "printf('%032x', n)", "generation": "n + 1"}
        db.execute(
            f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT ?) "
            f"INSERT INTO jobs ({', '.join(names)}) "
            f"SELECT {', '.join(told.get(name, name) for name in names)} "
            "FROM numbers, (SELECT * FROM jobs LIMIT 1)",
            [number],
        )
        db.commit()
