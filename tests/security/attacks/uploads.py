"""3.3: what is uploaded, on any route, and JSON."""

import asyncio
import gzip
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from typing import Any, Final

import httpx

from security.attack import Answers, Table
from security.samples import EXE, PDF, PNG
from security.stand import PASSWORD, Stand

rows = Table()

RAW: Final = "/files?filename=a"
LIMIT: Final = 100_000
OVERREAD: Final = 64 * 1024
"""Bytes beyond the limit that may be read before the refusal."""

rows.ask("U1", "an empty body", 422, "POST", RAW, content=b"")
rows.ask("U1", "an empty file in a form", 422, "POST", "/upload", files={"file": ("a", b"")})
rows.ask("U1", "an empty file after a good one", 422, "POST", "/upload",
         files=[("file", ("a", b"x")), ("file", ("b", b""))])  # fmt: skip


class Counted:
    """A body that counts what of it was asked for."""

    def __init__(self, size: int | None) -> None:
        self.size = size  # bytes; None: endless
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.size is None or self.sent < self.size:
            piece = b"x" * min(4096, 4096 if self.size is None else self.size - self.sent)
            self.sent += len(piece)
            yield piece


@rows.act("U2", "one byte more than the limit, raw and in a form", 413, max_upload_bytes=LIMIT)
async def one_byte_more(stand: Stand) -> Answers:
    exactly = b"x" * LIMIT
    await stand.upload(exactly)
    with stand.preparing():
        form = await stand.ask("POST", "/upload", files={"file": ("a", exactly)})
    assert form.status_code == 201
    body = Counted(10 * LIMIT)
    answers = [
        await stand.ask("POST", RAW, content=exactly + b"x"),
        await stand.ask("POST", "/upload", files={"file": ("a", exactly + b"x")}),
        await stand.ask("POST", RAW, content=body),
    ]
    assert body.sent <= LIMIT + OVERREAD
    return answers


@rows.act("U3", "a Content-Length of 10 TB", 413)
async def enormous_length(stand: Stand) -> Answers:
    body = Counted(None)
    types = ("application/octet-stream", "multipart/form-data; boundary=b")
    answers = []
    for kind in types:
        headers = [("Content-Length", str(10 * 1024**4)), ("Content-Type", kind)]
        answers.append(await _without_chunks(stand, headers, body))
    assert body.sent == 0
    return answers


async def _without_chunks(stand: Stand, headers: Any, body: Counted) -> httpx.Response:
    client = stand.client()
    request = client.build_request("POST", RAW.split("?")[0], content=body)
    del request.headers["Transfer-Encoding"]
    request.headers.update(headers)
    request.url = request.url.copy_with(query=None)
    return await client.send(request)


@rows.act("U4", "a body without an end", 413, max_upload_bytes=LIMIT)
async def endless(stand: Stand) -> Answers:
    raw, form = Counted(None), Counted(None)

    async def in_a_form() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        async for piece in form:
            yield piece

    kind = [("Content-Type", "multipart/form-data; boundary=b")]
    answers = [
        await stand.ask("POST", RAW, content=raw),
        await stand.ask("POST", "/upload", content=in_a_form(), headers=kind),
    ]
    assert max(raw.sent, form.sent) <= LIMIT + OVERREAD
    return answers


@rows.act("U8", "a compressed body", 415)
async def compressed(stand: Stand) -> Answers:
    body = gzip.compress(b"0" * 10_000_000)
    codings = ("gzip", "deflate", "br", "zstd", "identity, gzip", "x-gzip")
    answers = [
        await stand.ask("POST", path, content=body, headers=[("Content-Encoding", coding)])
        for path in (RAW, "/upload?filename=a")
        for coding in codings
    ]
    credentials = json.dumps({"email": "z@example.org", "password": PASSWORD}).encode()
    login = await stand.ask(
        "POST", "/auth/register", who="anon", content=gzip.compress(credentials),
        headers=[("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
    )  # fmt: skip
    return [*answers, login]


@rows.act("U9", "types that are none, or a trap", (201, 400))
async def declared_types(stand: Stand) -> Answers:
    kinds = (
        "application/x-php", "evil/xxx", "text/" + "x" * 5000, "text/html\r\nSet-Cookie: a=b",
        "text/html\x00", "<script>/x", "text/html;charset=\x1b[31m", "",
    )  # fmt: skip
    answers = []
    for kind in kinds:
        headers = [("Content-Type", kind)]
        answers.append(await stand.ask("POST", RAW, content=PNG, headers=headers))
    for answer in answers:
        if answer.status_code == 201:
            file = answer.json()
            assert file["media_type"] == "image/png"
            assert set(file["declared_media_type"]) <= set("abcdefghijklmnopqrstuvwxyz-/"), file
            content = await stand.ask("GET", file["links"]["content"])
            assert content.headers["Content-Type"] == "image/png"
    return answers


@rows.act("U10", "a picture called a document, a program called a picture", 201)
async def misnamed(stand: Stand) -> Answers:
    lies = (
        ("a.pdf", PNG, "image/png"),
        ("a.png", EXE, None),
        ("a.pdf.exe", PDF, "application/pdf"),
    )
    answers = []
    for name, data, kind in lies:
        raw = await stand.ask("POST", f"/files?filename={name}", content=data)
        form = await stand.ask("POST", "/upload", files={"file": (name, data)})
        answers += [raw, form]
        for answer in (raw, form):
            assert kind in (None, answer.json()["media_type"])
            assert answer.json()["media_type"] != "image/png" or data is PNG
            view = await stand.process(answer.json())
            warned = [warning["code"] for warning in view["warnings"]]
            assert ("type_mismatch" in warned) or view["status"] == "failed", (name, view)
    return answers


@rows.act("U11", "a digest of other bytes", 400)
async def wrong_digest(stand: Stand) -> Answers:
    wrong = f"sha-256=:{b64encode(sha256(b'other').digest()).decode()}:"
    raw = [
        await stand.ask("POST", RAW, content=b"x", headers=[(name, value)])
        for name in ("Repr-Digest", "Content-Digest")
        for value in (wrong, "sha-256=:AAAA:", "sha-256=abc", "=", "sha-512=:AA==:")
    ]
    form = await stand.ask(
        "POST", "/upload", files={"file": ("a", b"x")}, headers=[("Content-Digest", wrong)]
    )
    part = await stand.ask(
        "POST", "/upload", files={"file": ("a", b"x", "text/plain", {"Repr-Digest": wrong})}
    )
    return [*raw, form, part]


@rows.act("U12", "a key that is none", 400)
async def bad_keys(stand: Stand) -> Answers:
    keys: Sequence[str | bytes] = ("", "k" * 256, "k" * 10_000, "a b", "a\tb", b"\xff", b"a\x01")
    answers = [
        await stand.ask("POST", RAW, content=b"x", headers=[("Idempotency-Key", key)])
        for key in keys
    ]
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    return [*answers, await stand.ask("POST", RAW, content=b"x", headers=twice)]


@rows.act("U12", "the same key for another request", 422)
async def reused_key(stand: Stand) -> Answers:
    key = [("Idempotency-Key", "the-key")]
    with stand.preparing():
        first = await stand.ask("POST", RAW, content=b"x", headers=key)
        again = await stand.ask("POST", RAW, content=b"x", headers=key)
        bob_s = await stand.ask("POST", RAW, content=b"x", headers=key, who="bob")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert bob_s.json()["id"] != first.json()["id"]
    return [
        await stand.ask("POST", RAW, content=b"y", headers=key),
        await stand.ask("POST", "/files?filename=b", content=b"x", headers=key),
    ]


@rows.act("U12", "the same key 20 times at once; 100 equal files without one", (201, 409))
async def parallel_key(stand: Stand) -> Answers:
    key = [("Idempotency-Key", "one-of-many")]
    keyed = await asyncio.gather(
        *(stand.ask("POST", RAW, content=b"x", headers=key) for _ in range(20))
    )
    assert len({a.json()["id"] for a in keyed if a.status_code == 201}) == 1
    free = [await stand.ask("POST", RAW, content=b"x") for _ in range(100)]
    assert len({answer.json()["id"] for answer in free}) == 100
    return [*keyed, *free]


TITLE_TAGS: Final[Sequence[dict[str, Any]]] = (
    {"title": "x" * 256}, {"tags": ["t"] * 10_000}, {"tags": ["\x00"]}, {"tags": [""]},
    {"title": "\x00"}, {"description": "x" * 10_001}, {"metadata": {"a": "x" * 17_000}},
    {"metadata": {"a\x00": 1}}, {"tags": ["t" * 65]}, {"tags": "t"}, {"filename": "\x00"},
    {"filename": None}, {"metadata": []},
)  # fmt: skip


@rows.act("U14", "too long a title, too many tags, a NUL", 422)
async def details(stand: Stand) -> Answers:
    place = f"/files/{(await stand.upload())['id']}"
    answers = [await stand.client().patch(place, json=change) for change in TITLE_TAGS]
    params: Sequence[dict[str, Any]] = (
        {"title": "x" * 256}, {"tags": ["t"] * 51}, {"tags": ["t"] * 8_000}, {"tags": "\x00"},
    )  # fmt: skip
    for query in params:
        answers.append(
            await stand.client().post("/files", params={"filename": "a", **query}, content=b"x")
        )
    for data in ({"title": "x" * 256}, {"tags": ["t"] * 51}, {"tags": "\x00"}):
        files = {"file": ("a", b"x")}
        answers.append(await stand.client().post("/upload", data=data, files=files))
    return answers


BAD_JSON: Final = {
    "U15": ("invalid UTF-8", (b'{"email": "\xff"}', b"\xff\xfe{}\x00", b'"\xc3\x28"')),
    "U16": ("nested 100,000 deep", (b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000)),
    "U18": (
        "lone surrogates and keys given twice",
        (b'{"email": "\\ud800"}', b'{"email": "a", "email": "b"}', b'{"a": {"b": 1, "b": 2}}'),
    ),
}


def _bad_json(id: str, sent: str, bodies: Sequence[bytes]) -> None:
    @rows.act(id, f"JSON: {sent}", 400)
    async def act(stand: Stand) -> Answers:
        kind = [("Content-Type", "application/json")]
        place = f"/files/{(await stand.upload())['id']}"
        answers = []
        for body in bodies:
            for method, path in (
                ("POST", "/auth/register"),
                ("POST", "/auth/login"),
                ("PATCH", place),
            ):
                answers.append(await stand.ask(method, path, content=body, headers=kind))
        return answers


for _id, (_sent, _bodies) in BAD_JSON.items():
    _bad_json(_id, _sent, _bodies)


@rows.act("U17", "JSON: numbers beyond all bounds", (400, 422))
async def numbers(stand: Stand) -> Answers:
    kind = [("Content-Type", "application/json")]
    place = f"/files/{(await stand.upload())['id']}"
    answers = []
    for number in ("1" + "0" * 30, "9" * 5000, "1e999", "-1e999", "NaN", "Infinity", "-Infinity"):
        body = f'{{"title": {number}}}'.encode()
        answers.append(await stand.ask("PATCH", place, content=body, headers=kind))
        registered = f'{{"email": {number}, "password": {number}}}'.encode()
        answers.append(await stand.ask("POST", "/auth/register", content=registered, headers=kind))
    for number in ("9" * 5000, "1e999", "NaN"):
        body = f'{{"metadata": {{"n": {number}}}}}'.encode()
        answers.append(await stand.ask("PATCH", place, content=body, headers=kind))
    return answers
