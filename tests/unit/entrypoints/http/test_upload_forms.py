"""Uploads as forms: all or nothing, in any order."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import httpx
import pytest

from .conftest import Bell, Store, never

pytestmark = pytest.mark.anyio


def files(*sent: tuple[str, bytes]) -> Sequence[tuple[str, tuple[str, bytes]]]:
    return [("file", one) for one in sent]


@pytest.mark.parametrize("path", ["/upload", "/files"])
async def test_one_file_is_201_with_the_file_and_its_place(
    alice: httpx.AsyncClient, bell: Bell, path: str
) -> None:
    answer = await alice.post(path, files={"file": ("résumé.txt", b"hello world", "text/x-me")})
    assert answer.status_code == 201
    file = answer.json()
    assert answer.headers["Location"] == f"/files/{file['id']}" == file["links"]["self"]
    assert file["links"]["content"] == f"/files/{file['id']}/content"
    assert file["filename"] == "résumé.txt"
    assert (file["size"], file["status"]) == (11, "uploaded")
    assert file["sha256"] == sha256(b"hello world").hexdigest()
    assert (file["media_type"], file["declared_media_type"]) == ("text/plain", "text/x-me")
    assert (file["title"], file["description"], file["tags"]) == (None, None, [])
    assert (file["metadata"], file["extracted"], file["error"]) == ({}, None, None)
    assert (file["warnings"], file["renditions"], file["processed_at"]) == ([], [], None)
    assert bell.rung == 1
    content = await alice.get(file["links"]["content"])
    assert content.content == b"hello world"


async def test_several_files_come_back_in_order_with_what_was_said_of_all(
    alice: httpx.AsyncClient,
) -> None:
    answer = await alice.post(
        "/upload",
        data={"title": "T", "tags": ["a", "b"], "metadata": json.dumps({"k": [1]})},
        files=files(*((f"{n}.txt", f"file {n}".encode()) for n in range(20))),
    )
    assert answer.status_code == 201
    assert answer.json().keys() == {"items"}
    items = answer.json()["items"]
    assert [item["filename"] for item in items] == [f"{n}.txt" for n in range(20)]
    assert {(item["title"], *item["tags"]) for item in items} == {("T", "a", "b")}
    assert items[7]["metadata"] == {"k": [1]}
    assert len({item["key"] for item in items}) == 20


async def test_fields_may_come_after_the_file(alice: httpx.AsyncClient) -> None:
    sent = [*files(("a.txt", b"x")), ("title", (None, b"late")), ("tags", (None, b"t"))]
    answer = await alice.post("/upload", files=sent)
    assert answer.status_code == 201
    assert (answer.json()["title"], answer.json()["tags"]) == ("late", ["t"])


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\evil.exe", "evil.exe"),
        ("C:\\x\\y.txt", "y.txt"),
        ("/etc/shadow", "shadow"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("cafe\u0301.txt", "café.txt"),
        ("x" * 255, "x" * 255),
        ("<script>.png", "<script>.png"),
        ("NUL.txt", "NUL.txt"),
    ],
)
async def test_names_are_cleaned_and_never_part_of_a_path(
    alice: httpx.AsyncClient, store: Store, name: str, kept: str
) -> None:
    answer = await alice.post("/upload", files={"file": (name, b"x")})
    assert (answer.status_code, answer.json()["filename"]) == (201, kept)
    assert await store.blobs() == [f"staging/{answer.json()['id']}"]


@pytest.mark.parametrize("name", ["", ".", "..", "....", "x" * 256, "\u202e", "/"])
async def test_a_file_without_a_usable_name_is_422(
    alice: httpx.AsyncClient, store: Store, name: str
) -> None:
    body = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\nx\r\n'
    answer = await post_form(alice, body.encode() + b"--b--\r\n")
    assert answer.status_code == 422
    assert await store.is_empty()


async def post_form(client: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    content_type = {"Content-Type": "multipart/form-data; boundary=b"}
    return await client.post("/upload", content=body, headers={**content_type, **headers})


async def test_only_an_extended_name_is_no_name(alice: httpx.AsyncClient) -> None:
    body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''a\r\n\r\nx\r\n"
    assert (await post_form(alice, body + b"--b--\r\n")).status_code == 422


TOO_LONG = ("long.txt", b"x" * 11)
GOOD = ("good.txt", b"x" * 10)


@pytest.mark.parametrize("changes", [{"max_upload_bytes": 10, "allowed_media_types": ["text/*"]}])
@pytest.mark.parametrize(
    ("sent", "status", "index", "name"),
    [
        ([GOOD, TOO_LONG, GOOD], 413, 1, "long.txt"),
        ([TOO_LONG], 413, 0, "long.txt"),
        ([GOOD, GOOD, ("p.png", b"\x89PNG\r\n\x1a\n")], 415, 2, "p.png"),
    ],
)
async def test_one_refused_file_refuses_all_and_is_named(
    alice: httpx.AsyncClient,
    store: Store,
    bell: Bell,
    sent: Sequence[tuple[str, bytes]],
    status: int,
    index: int,
    name: str,
) -> None:
    answer = await alice.post("/upload", files=files(*sent))
    assert answer.status_code == status
    (error,) = answer.json()["errors"]
    assert error["field"] == f"file[{index}]"
    assert name in error["message"]
    if status == 413:
        assert answer.json()["max_bytes"] == 10
    assert await store.is_empty()
    assert bell.rung == 0


@pytest.mark.parametrize("changes", [{"max_upload_bytes": 10}])
async def test_exactly_the_limit_passes(alice: httpx.AsyncClient) -> None:
    answer = await alice.post("/upload", files=files(GOOD, GOOD))
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"data": {"title": "x"}}, "file"),
        ({"files": files(("a", b"x")), "data": {"nope": "x"}}, "nope"),
        ({"files": files(("a", b"x")), "data": {"title": "x" * 256}}, "title"),
        ({"files": {"document": ("a", b"x")}}, "document"),
        ({"files": files(*[("a", b"x")] * 21)}, "file"),
        ({"files": files(("a", b"x")), "params": {"title": "x"}}, "title"),
    ],
)
async def test_what_is_wrong_with_a_form_is_422_and_keeps_nothing(
    alice: httpx.AsyncClient, store: Store, form: Mapping[str, Any], field: str
) -> None:
    if "files" not in form:
        form = {"files": [("title", (None, b"x"))]}
    answer = await alice.post("/upload", **form)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert await store.is_empty()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b\r\n",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx',
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="\xff"\r\n\r\nx\r\n--b--',
        b'{"file": "json"}',
    ],
)
async def test_a_broken_form_is_400_and_keeps_nothing(
    alice: httpx.AsyncClient, store: Store, body: bytes
) -> None:
    async def chunks() -> Any:
        yield body

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await alice.post("/upload", content=chunks(), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/malformed-request"
    assert await store.is_empty()


FORM = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n%b\r\nhello\r\n--b--\r\n'
)


def digest(data: bytes) -> str:
    return f"sha-256=:{b64encode(sha256(data).digest()).decode()}:"


async def test_digests_of_the_form_and_of_its_parts_are_verified(
    alice: httpx.AsyncClient, store: Store
) -> None:
    plain = FORM % b""
    good = FORM % f"Repr-Digest: {digest(b'hello')}\r\n".encode()
    bad = FORM % f"Content-Digest: {digest(b'other')}\r\n".encode()
    odd = FORM % b"Repr-Digest: sha-256=hello\r\n"
    for body, headers, status in (
        (plain, {"Content-Digest": digest(plain)}, 201),
        (good, {"Content-Digest": digest(good)}, 201),
        (plain, {"Content-Digest": digest(b"other")}, 400),
        (plain, {"Content-Digest": "md5=:AAAA:"}, 201),
        (plain, {"Content-Digest": "nonsense:"}, 400),
        (bad, {}, 400),
        (odd, {}, 400),
    ):
        assert (await post_form(alice, body, **headers)).status_code == status, (body, headers)
    assert len(await store.files()) == len(await store.blobs()) == 3


@pytest.mark.parametrize("changes", [{"max_upload_bytes": 10}])
async def test_a_form_that_cannot_be_right_is_refused_by_its_length(
    alice: httpx.AsyncClient,
) -> None:
    limit = 20 * 10 + 1024 * 1024

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    for length in (limit + 1, 10**13):
        request = alice.build_request("POST", "/upload", content=never(), headers=headers)
        request.headers["Content-Length"] = str(length)
        del request.headers["Transfer-Encoding"]
        assert (await alice.send(request)).status_code == 413


@pytest.mark.parametrize("changes", [{"max_upload_bytes": 10}])
async def test_an_endless_form_ends_at_the_limit(alice: httpx.AsyncClient, store: Store) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        yield FORM % b""
        while True:
            sent += 65536
            yield b"\r\n" * 32768

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await alice.post("/upload", content=endless(), headers=headers)
    assert answer.status_code == 413
    assert sent <= 20 * 10 + 1024 * 1024 + 65536
    assert await store.is_empty()


@pytest.mark.parametrize("bad", [("empty.txt", b""), ("..", b"x")], ids=["empty", "no name"])
async def test_the_refused_file_of_several_is_named(
    alice: httpx.AsyncClient, bad: tuple[str, bytes]
) -> None:
    answer = await alice.post("/upload", files=files(("a.txt", b"x"), bad, ("c.txt", b"y")))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "file[1]"
    assert bad[0] in error["message"]
    assert (await alice.get("/files")).json()["items"] == []
