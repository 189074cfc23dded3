import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain.errors import Malformed
from docstore.entrypoints.http.json_bodies import MAX_JSON, parse

pytestmark = pytest.mark.anyio

GOOD = b'{"email": "ada@example.org", "password": "12345678"}'
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet="abc"), inner),
    max_leaves=20,
)  # fmt: skip


@given(value=VALUES, ascii=st.booleans())
def test_json_is_read(value: Any, ascii: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii).encode()) == value


@given(body=st.binary(max_size=50) | st.text('[]{}":,1e-\\u0d8', max_size=50).map(str.encode))
def test_anything_is_read_or_malformed(body: bytes) -> None:
    try:
        parse(body)
    except Malformed:
        return


BROKEN = [
    b"", b"{", b"nope", b"{'a': 1}", b'{"a": 1}x', b'{"a": "\xff"}', b'{"a": NaN}',
    b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": ' + b"9" * 5000 + b"}", b'{"a": "\\ud800"}',
    b'{"\\udfff": 1}', b'{"a": 1, "a": 2}', b'{"b": {"a": 1, "a": 1}}', b"[" * 60_000,
    b'{"a":' * 10_000, b"\xef\xbb\xbf{}", '{"a": 1}'.encode("utf-16"), b'{"a": "\n"}',
]  # fmt: skip


@pytest.mark.parametrize("body", BROKEN)
async def test_broken_or_ambiguous_json_is_400(nobody: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await nobody.post("/auth/login", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/malformed-request"


@pytest.mark.parametrize(
    "body",
    [
        b"null", b"[]", b"1", b'"x"', b"{}", b'{"email": 10' + b"0" * 30 + b', "password": "x"}',
        b'{"email": ["a"], "password": {}}', GOOD[:-1] + b', "extra": 1}',
    ],
)  # fmt: skip
async def test_json_of_another_shape_is_422(nobody: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await nobody.post("/auth/login", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json-patch+json"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_json_that_does_not_say_so_is_415(
    nobody: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await nobody.post("/auth/login", content=GOOD, headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON; Charset=UTF-8"])
async def test_json_that_says_so_is_read(nobody: httpx.AsyncClient, kind: str) -> None:
    answer = await nobody.post("/auth/register", content=GOOD, headers={"Content-Type": kind})
    assert answer.status_code == 201


async def test_a_repeated_content_type_is_400(nobody: httpx.AsyncClient) -> None:
    headers = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]
    assert (await nobody.post("/auth/login", content=GOOD, headers=headers)).status_code == 400


async def test_long_json_is_413_wherever_its_length_shows(alice: httpx.AsyncClient) -> None:
    file = (await alice.post("/files?filename=a", content=b"x")).json()
    place = file["links"]["self"]
    headers = {"Content-Type": "application/json"}
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while True:
            sent += 4096
            yield b" " * 4096

    answer = await alice.patch(place, content=endless(), headers=headers)
    assert answer.status_code == 413
    assert sent <= MAX_JSON + 4096
    padded = b'{"title": "x"}'.ljust(MAX_JSON)
    exact = await alice.patch(place, content=padded, headers=headers)
    assert exact.status_code == 200
    longer = await alice.patch(place, content=padded + b" ", headers=headers)
    assert (longer.status_code, longer.json()["max_bytes"]) == (413, MAX_JSON)
