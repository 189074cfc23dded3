"""Downloads: the bytes, and everything around them that a browser could misunderstand."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from email import message_from_bytes
from hashlib import sha256

import httpx
import pytest

from docstore.container import Container
from docstore.domain.failure import FailureCode
from docstore.domain.names import MediaType
from docstore.entrypoints.http.content import may_be_shown

from .conftest import A_PNG, Reader, Worker

pytestmark = pytest.mark.anyio

BODY = bytes(range(256)) * 4
ETAG = f'"{sha256(BODY).hexdigest()}"'


@pytest.fixture
async def href(alice: httpx.AsyncClient) -> str:
    answer = await alice.post("/files", content=BODY, params={"filename": "résumé 1.bin"})
    found: str = answer.json()["links"]["content"]
    return found


def steady(answer: httpx.Response) -> dict[str, str]:
    """Its headers, but for what is another in every answer."""
    return {name: value for name, value in answer.headers.items() if name != "x-request-id"}


async def test_the_original_comes_back_with_all_its_headers(
    alice: httpx.AsyncClient, href: str
) -> None:
    answer = await alice.get(href)
    assert (answer.status_code, answer.content) == (200, BODY)
    assert steady(answer) == {
        "etag": ETAG,
        "cache-control": "private, no-cache",
        "repr-digest": f"sha-256=:{b64encode(sha256(BODY).digest()).decode()}:",
        "accept-ranges": "bytes",
        "content-type": "application/octet-stream",
        "content-length": "1024",
        "content-disposition": 'attachment; filename="resume 1.bin"; '
        "filename*=UTF-8''r%C3%A9sum%C3%A9%201.bin",
        "content-security-policy": "sandbox; default-src 'none'",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
    }


async def test_head_has_the_same_headers_and_no_body(alice: httpx.AsyncClient, href: str) -> None:
    get, head = await alice.get(href), await alice.head(href, headers={"Range": "bytes=0-0"})
    assert (head.status_code, head.content) == (200, b"")
    assert steady(head) == steady(get)


@pytest.mark.parametrize(
    ("sent", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 1023),
        ("bytes=1000-", 1000, 1023),
        ("bytes=10-19", 10, 19),
        ("bytes=1000-18446744073709551616", 1000, 1023),
        ("bytes=-1", 1023, 1023),
        ("bytes=-5000", 0, 1023),
        ("Bytes = 1-2", 1, 2),
    ],
)
async def test_a_range_is_206(
    alice: httpx.AsyncClient, href: str, sent: str, first: int, last: int
) -> None:
    answer = await alice.get(href, headers={"Range": sent})
    assert answer.status_code == 206
    assert answer.content == BODY[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/1024"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert answer.headers["ETag"] == ETAG


@pytest.mark.parametrize(
    "sent",
    [
        "bytes=abc", "bytes=", "bytes=-", "bytes=5-1", "lines=0-1", "bytes=0-5,4-5", "0-1",
        "bytes=" + ",".join(["0-1"] * 1000), "bytes=" + "9" * 5000 + "-", "bytes=+1-2",
        "bytes=1 - 2",
    ],
)  # fmt: skip
async def test_what_is_no_range_gets_the_whole(
    alice: httpx.AsyncClient, href: str, sent: str
) -> None:
    answer = await alice.get(href, headers={"Range": sent})
    assert (answer.status_code, answer.content) == (200, BODY)


async def test_several_ranges_are_parts_of_one_answer(alice: httpx.AsyncClient, href: str) -> None:
    answer = await alice.get(href, headers={"Range": "bytes=1000-, 0-0, 5000-6000"})
    assert answer.status_code == 206
    assert "Content-Range" not in answer.headers
    assert answer.headers["Content-Length"] == str(len(answer.content))
    kind = answer.headers["Content-Type"]
    assert kind.startswith("multipart/byteranges; boundary=")
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + answer.content)
    parts = [part for part in message.walk() if not part.is_multipart()]
    assert [part["Content-Range"] for part in parts] == ["bytes 1000-1023/1024", "bytes 0-0/1024"]
    assert {part["Content-Type"] for part in parts} == {"application/octet-stream"}
    assert [part.get_payload(decode=True) for part in parts] == [BODY[1000:], BODY[:1]]


@pytest.mark.parametrize("sent", ["bytes=1024-", "bytes=99999-100000", "bytes=-0"])
async def test_a_range_without_a_byte_is_416(
    alice: httpx.AsyncClient, href: str, sent: str
) -> None:
    answer = await alice.get(href, headers={"Range": sent})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */1024"
    assert answer.json()["type"] == "/problems/range-not-satisfiable"


@pytest.mark.parametrize(
    ("if_range", "status"),
    [
        (ETAG, 206),
        ('"other"', 200),
        (f"W/{ETAG}", 200),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 200),
    ],
)
async def test_a_range_counts_for_the_same_bytes_alone(
    alice: httpx.AsyncClient, href: str, if_range: str, status: int
) -> None:
    answer = await alice.get(href, headers={"Range": "bytes=0-0", "If-Range": if_range})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        (ETAG, 304),
        ("*", 304),
        (f'"other", W/{ETAG}', 304),
        (f'"a,b" ,{ETAG}', 304),
        ('"other"', 200),
        (ETAG.strip('"'), 200),
        ("", 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_has_it_is_told_so(
    alice: httpx.AsyncClient, href: str, method: str, tags: str, status: int
) -> None:
    headers = {"If-None-Match": tags}
    if status == 304:
        headers["Range"] = "bytes=0-0"  # the condition goes first
    answer = await alice.request(method, href, headers=headers)
    assert answer.status_code == status
    assert answer.headers["ETag"] == ETAG
    if status == 304:
        assert answer.content == b""
        assert answer.headers["Cache-Control"] == "private, no-cache"


async def test_anothers_tag_tells_nothing(bob: httpx.AsyncClient, href: str) -> None:
    for headers in ({"If-None-Match": ETAG}, {"Range": "bytes=0-0"}, {"If-None-Match": "*"}):
        assert (await bob.get(href, headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("body", "query", "kind"),
    [
        (A_PNG, {"disposition": "inline"}, "inline"),
        (b"plain words", {"disposition": "inline"}, "inline"),
        (b"%PDF-1.7\n", {"disposition": "inline"}, "inline"),
        (A_PNG, {"disposition": "attachment"}, "attachment"),
        (A_PNG, {}, "attachment"),
        (
            b"<!doctype html><html><script>1</script></html>",
            {"disposition": "inline"},
            "attachment",
        ),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', {"disposition": "inline"}, "attachment"),
        (b"\x00\x01\x02", {"disposition": "inline"}, "attachment"),
    ],
)
async def test_only_harmless_types_may_be_shown(
    alice: httpx.AsyncClient, body: bytes, query: Mapping[str, str], kind: str
) -> None:
    file = (await alice.post("/files?filename=x.html", content=body)).json()
    answer = await alice.get(file["links"]["content"], params=query)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].split(";")[0] == kind
    assert answer.headers["Content-Type"] == file["media_type"] != "text/javascript"


@pytest.mark.parametrize(
    ("media_type", "shown"),
    [
        ("image/svg+xml", False), ("text/html", False), ("application/xhtml+xml", False),
        ("text/xml", False), ("text/javascript", False), ("application/octet-stream", False),
        ("image/webp", True), ("audio/mpeg", True), ("video/mp4", True), ("application/pdf", True),
    ],
)  # fmt: skip
async def test_what_may_be_shown(media_type: str, shown: bool) -> None:
    assert may_be_shown(MediaType(media_type)) is shown


async def test_other_parameters_change_nothing(alice: httpx.AsyncClient, href: str) -> None:
    answer = await alice.get(href, params={"response-content-type": "text/html"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/octet-stream")
    for query in ("disposition=window", "disposition=inline&disposition=inline"):
        assert (await alice.get(f"{href}?{query}")).status_code == 422


async def test_a_path_behind_it_is_404(alice: httpx.AsyncClient, href: str) -> None:
    assert (await alice.get(f"{href}/x.css")).status_code == 404


async def test_bytes_that_are_gone_are_500_and_never_an_empty_200(
    alice: httpx.AsyncClient, href: str, container: Container
) -> None:
    await container.blobs().delete(f"staging/{href.split('/')[2]}")
    for method in ("GET", "HEAD"):
        answer = await alice.request(method, href)
        assert answer.status_code == 500
        assert answer.headers["Content-Type"] == "application/problem+json"
    problem = (await alice.get(href)).json()
    assert problem["type"] == "/problems/blob-missing"
    assert "staging" not in problem["detail"]


async def test_what_processing_makes_is_409_before_it_and_then_there(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient, worker: Worker
) -> None:
    file = (await alice.post("/files?filename=p.png", content=A_PNG)).json()
    own = file["links"]["self"]
    paths = [f"{own}/text", f"{own}/renditions/preview"]
    paths += [f"/download?key={file['key']}", f"/download?key={file['id']}"]
    for path in paths:
        answer = await alice.get(path)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-ready")
        assert (await bob.get(path)).status_code == 404
    await worker.process(alice, file["id"])
    for path, body in zip(paths, (b"all the words", b"PNG22", b"PNG333", b"PNG333"), strict=True):
        answer = await alice.get(path)
        assert (answer.status_code, answer.content) == (200, body)
        assert answer.headers["Content-Length"] == str(len(body))
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        head = await alice.head(path)
        assert (head.content, steady(head)) == (b"", steady(answer))
        assert (await bob.get(path)).status_code == 404
    text = await alice.get(f"{own}/text")
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (await alice.get(file["links"]["content"])).content == A_PNG


async def test_what_was_found_is_there_while_the_file_is_processed_once_more(
    alice: httpx.AsyncClient, worker: Worker, reader: Reader
) -> None:
    file = (await alice.post("/files?filename=p.png", content=A_PNG)).json()
    await worker.process(alice, file["id"])
    own = file["links"]["self"]
    again = await alice.post(f"{own}/retry?force=true")
    assert again.json()["status"] == "processing"
    assert (await alice.get(f"{own}/text")).content == b"all the words"
    assert (await alice.get(f"{own}/renditions/preview")).content == b"PNG22"
    assert (await alice.get(f"/download?key={file['key']}")).content == b"PNG333"
    reader.fails = FailureCode.CORRUPT
    assert (await worker.process(alice, file["id"]))["status"] == "failed"
    assert (await alice.get(f"{own}/text")).content == b"all the words"


@pytest.mark.parametrize("fails", [None, FailureCode.CORRUPT])
async def test_what_processing_did_not_make_is_404(
    alice: httpx.AsyncClient, worker: Worker, reader: Reader, fails: FailureCode | None
) -> None:
    reader.findings, reader.fails = (), fails
    file = (await alice.post("/files?filename=a", content=b"x")).json()
    await worker.process(alice, file["id"])
    own = file["links"]["self"]
    for path in (f"{own}/text", f"{own}/renditions/preview", f"/download?key={file['key']}"):
        assert (await alice.get(path)).status_code == 404


@pytest.mark.parametrize("name", ["nope", "%2e%2e%2foriginal", "original", "text"])
async def test_only_renditions_are_renditions(
    alice: httpx.AsyncClient, worker: Worker, name: str
) -> None:
    file = (await alice.post("/files?filename=a", content=b"x")).json()
    await worker.process(alice, file["id"])
    assert (await alice.get(f"{file['links']['self']}/renditions/{name}")).status_code == 404


BAD_QUERIES: Sequence[tuple[str, int]] = [
    ("", 422),
    ("?key=a&key=b", 422),
    ("?key=a&x=1", 422),
    ("?key=unknown", 404),
    ("?key=", 404),
    ("?key=%00", 404),
    ("?key=0199d0a4-7c1e-7cc2-9d0e-5c0c7f3c1b11", 404),
    ("?key=" + "x" * 5000, 404),
]


@pytest.mark.parametrize(("query", "status"), BAD_QUERIES)
async def test_a_download_needs_a_key(alice: httpx.AsyncClient, query: str, status: int) -> None:
    assert (await alice.get(f"/download{query}")).status_code == status
