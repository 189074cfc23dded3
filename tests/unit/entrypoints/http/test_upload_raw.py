"""Uploads whose body is the file."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256, sha512

import httpx
import pytest

from .conftest import A_PNG, Store, never

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/upload", "/files"])
async def test_the_body_is_the_file(alice: httpx.AsyncClient, path: str) -> None:
    answer = await alice.post(
        path,
        content=b"%PDF-1.7\n",
        params={"title": "T", "description": "D", "tags": ["a", "b"]},
        headers={
            "Content-Type": "Application/X-Own; v=1",
            "Content-Disposition": "attachment; filename=\"x.pdf\"; filename*=UTF-8''%C3%BC.pdf",
        },
    )
    file = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/files/{file['id']}"
    assert (file["filename"], file["title"], file["description"]) == ("ü.pdf", "T", "D")
    assert (file["tags"], file["size"]) == (["a", "b"], 9)
    assert file["media_type"] == "application/pdf"
    assert file["declared_media_type"] == "application/x-own"


@pytest.mark.parametrize(
    ("disposition", "query", "kept"),
    [
        (None, "q.txt", "q.txt"),
        ('attachment; filename="h.txt"', "q.txt", "h.txt"),
        ("inline", "q.txt", "q.txt"),
        ("attachment; filename=ü.txt", "q.txt", None),
        ('attachment; filename="ü.txt"', None, "ü.txt"),
        ('attachment; filename="../../x.txt"', None, "x.txt"),
    ],
)
async def test_the_name_comes_from_the_header_or_the_query(
    alice: httpx.AsyncClient, disposition: str | None, query: str | None, kept: str | None
) -> None:
    headers = [(b"content-disposition", disposition.encode())] if disposition else []
    params = {"filename": query} if query else {}
    answer = await alice.post("/files", content=b"x", headers=headers, params=params)
    if kept is None:
        assert answer.status_code == 400
    else:
        assert answer.json()["filename"] == kept


@pytest.mark.parametrize(
    ("params", "body", "field"),
    [
        ({}, b"x", "filename"),
        ({"filename": ""}, b"x", "filename"),
        ({"filename": "x" * 256}, b"x", "filename"),
        ({"filename": "a\x00"}, b"", "file"),
        ({"filename": "a", "tags": "\x00"}, b"x", "tags"),
        ({"filename": "a", "title": "x" * 256}, b"x", "title"),
        ({"filename": "a", "metadata": "{}"}, b"x", "metadata"),
        ({"filename": ["a", "b"]}, b"x", "filename"),
        ({"filename": "a"}, b"", "file"),
    ],
)
async def test_what_is_wrong_is_422_and_keeps_nothing(
    alice: httpx.AsyncClient, store: Store, params: Mapping[str, str], body: bytes, field: str
) -> None:
    answer = await alice.post("/files", content=body, params=params)
    assert answer.status_code == 422
    assert await store.is_empty()


async def test_invalid_utf8_in_a_name_is_400(alice: httpx.AsyncClient) -> None:
    headers = [(b"content-disposition", b'attachment; filename="\xff"')]
    assert (await alice.post("/files", content=b"x", headers=headers)).status_code == 400
    assert (await alice.post("/files?filename=%ff", content=b"x")).status_code == 422


@pytest.mark.parametrize("kind", ["evil/xxx", "x" * 5000, "text/html\x0b", "multipart/mixed"])
async def test_a_declared_type_is_never_believed(alice: httpx.AsyncClient, kind: str) -> None:
    headers = {"Content-Type": kind}
    answer = await alice.post("/files?filename=a", content=A_PNG, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["media_type"] == "image/png"
    assert len(answer.json()["declared_media_type"]) < 300


@pytest.mark.parametrize("changes", [{"max_upload_bytes": 1000}])
async def test_the_limit_passes_and_one_byte_more_does_not(
    alice: httpx.AsyncClient, store: Store
) -> None:
    too_long = await alice.post("/files?filename=a", content=b"x" * 1001)
    assert (too_long.status_code, too_long.json()["max_bytes"]) == (413, 1000)
    assert await store.is_empty()
    assert (await alice.post("/files?filename=a", content=b"x" * 1000)).status_code == 201


@pytest.mark.parametrize("changes", [{"max_upload_bytes": 100_000}])
async def test_an_endless_body_ends_at_the_limit(alice: httpx.AsyncClient, store: Store) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 4096
            yield b"x" * 4096

    answer = await alice.post("/files?filename=a", content=endless())
    assert answer.status_code == 413
    assert sent <= 100_000 + 64 * 1024
    assert await store.is_empty()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": "1001"}, 413),
        ({"Content-Length": str(10 * 1024**4)}, 413),
        ({"Content-Length": "9" * 30}, 400),
        ({"Content-Length": "-1"}, 400),
        ({"Content-Length": "10", "Content-Encoding": "gzip"}, 415),
        ({"Content-Length": "10", "Content-Encoding": "identity, br"}, 415),
        ({"Content-Length": "10", "Repr-Digest": "sha-256=::"}, 400),
        ({"Content-Length": "0"}, 422),
    ],
)
@pytest.mark.parametrize("changes", [{"max_upload_bytes": 1000}])
async def test_what_the_headers_forbid_is_refused_before_the_body_is_read(
    alice: httpx.AsyncClient, headers: Mapping[str, str], status: int
) -> None:
    request = alice.build_request("POST", "/files?filename=a", content=never())
    del request.headers["Transfer-Encoding"]
    request.headers.update(headers)
    assert (await alice.send(request)).status_code == status


async def test_a_stranger_is_refused_before_the_body_is_read(nobody: httpx.AsyncClient) -> None:
    answer = await nobody.post("/files?filename=a", content=never())
    assert answer.status_code == 401
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize("changes", [{"allowed_media_types": ["image/*", "application/pdf"]}])
async def test_types_outside_the_list_are_415(alice: httpx.AsyncClient, store: Store) -> None:
    headers = {"Content-Type": "image/png"}
    answer = await alice.post("/files?filename=a.png", content=b"MZ\x90\x00", headers=headers)
    assert answer.status_code == 415
    assert await store.is_empty()
    assert (await alice.post("/files?filename=a", content=A_PNG)).status_code == 201


def sha_256(data: bytes) -> str:
    return f"sha-256=:{b64encode(sha256(data).digest()).decode()}:"


def sha_512(data: bytes) -> str:
    return f"sha-512=:{b64encode(sha512(data).digest()).decode()}:"


@pytest.mark.parametrize("field", ["Repr-Digest", "Content-Digest"])
@pytest.mark.parametrize(
    ("value", "status", "slug"),
    [
        (sha_256(b"hello"), 201, ""),
        (sha_512(b"hello"), 201, ""),
        (f"{sha_256(b'hello')}, {sha_512(b'hello')}", 201, ""),
        ("md5=:AAAA:, crc32c=:AA==:", 201, ""),
        (sha_256(b"other"), 400, "digest-mismatch"),
        (sha_512(b"other"), 400, "digest-mismatch"),
        (f"{sha_256(b'hello')}, {sha_512(b'other')}", 400, "digest-mismatch"),
        ("sha-256=:AAAA:", 400, "malformed-request"),
        ("sha-256=abc", 400, "malformed-request"),
        ("sha-256", 400, "malformed-request"),
        ("=", 400, "malformed-request"),
    ],
)
async def test_a_digest_is_verified(
    alice: httpx.AsyncClient, store: Store, field: str, value: str, status: int, slug: str
) -> None:
    headers = {field: value}
    answer = await alice.post("/files?filename=a", content=b"hello", headers=headers)
    assert answer.status_code == status
    if status != 201:
        assert answer.json()["type"] == f"/problems/{slug}"
        assert await store.is_empty()


async def test_equal_files_are_two_files(alice: httpx.AsyncClient, store: Store) -> None:
    for _ in range(2):
        await alice.post("/files?filename=a", content=b"same")
    assert len({file.id for file in await store.files()}) == 2
