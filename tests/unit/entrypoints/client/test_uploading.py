import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

import httpx
import pytest
from multipart import parse_form_data

from docstore.entrypoints.client.errors import Changed, Refused
from docstore.entrypoints.client.session import Session
from docstore.entrypoints.client.uploading import Details, upload

pytestmark = pytest.mark.anyio

DATA = b"The lamp was lit at dusk." * 1000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Memory:
    """Says that it has `size` bytes."""

    name: str = "a.txt"
    data: bytes = DATA
    size: int = len(DATA)

    async def pieces(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.data), 999):
            yield self.data[start : start + 999]


class Server:
    """Gives its statuses in turn, None for a cut connection; says that it got `stored`."""

    def __init__(self, *statuses: int | None, stored: bytes = DATA) -> None:
        self._statuses = list(statuses)
        self._stored = stored
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        status = self._statuses.pop(0)
        if status is None:
            raise httpx.ReadError("cut")
        if status != 201:
            return httpx.Response(status, json={"detail": "no"})
        return httpx.Response(201, json={"id": "x", "sha256": sha256(self._stored).hexdigest()})

    def session(self) -> Session:
        async def pause(seconds: float) -> None:
            """No time passes."""

        http = httpx.AsyncClient(transport=httpx.MockTransport(self), base_url="http://there")
        return Session(http, pause)


def nobody(_: int) -> None:
    """Does not want to know."""


async def test_every_try_is_the_same_request() -> None:
    server = Server(None, 503, None, 201)
    sent: list[int] = []
    await upload(server.session(), Memory(), Details(), sent.append)
    assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 1
    assert [request.content for request in server.requests] == [DATA] * 4
    assert sent.count(len(DATA)) == 4


async def test_each_file_has_a_key_of_its_own() -> None:
    server = Server(201, 201)
    for _ in range(2):
        await upload(server.session(), Memory(), Details(), nobody)
    assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 2


@pytest.mark.parametrize("name", ["é.txt", 'a"b.txt', "a;b=c", "x\ny", "100%.txt", "a'b"])
@pytest.mark.parametrize("title", [None, "--\r\n é"])
async def test_the_name_arrives_alone_and_in_a_form(name: str, title: str | None) -> None:
    server = Server(201)
    details = Details(title=title, tags=["a", "b"], metadata={"n": 1}) if title else Details()
    await upload(server.session(), Memory(name), details, nobody)
    (request,) = server.requests
    assert int(request.headers["Content-Length"]) == len(request.content)
    if title is None:
        value = request.headers["Content-Disposition"]
        assert httpx.URL(f"/?{value.split(chr(39) * 2)[1]}=").params.keys() == {name}
        return
    environ = {
        "wsgi.input": BytesIO(request.content), "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": request.headers["Content-Type"],
        "CONTENT_LENGTH": request.headers["Content-Length"],
    }  # fmt: skip
    fields, files = parse_form_data(environ, strict=True)
    assert (files["file"].filename, files["file"].raw) == (name, DATA)
    assert (fields["title"], fields.getall("tags")) == (title, ["a", "b"])
    assert json.loads(fields["metadata"]) == {"n": 1}


@pytest.mark.parametrize(("size", "how"), [(len(DATA) - 1, "grown"), (len(DATA) + 1, "shrunk")])
async def test_a_file_that_changes_meanwhile_is_told_so(size: int, how: str) -> None:
    with pytest.raises(Changed, match=how):
        await upload(Server(201).session(), Memory(size=size), Details(), nobody)


async def test_other_bytes_at_the_server_are_no_success() -> None:
    with pytest.raises(Changed, match="x was stored with other bytes"):
        await upload(Server(201, stored=b"else").session(), Memory(), Details(), nobody)


async def test_a_refusal_is_not_repeated() -> None:
    server = Server(422)
    with pytest.raises(Refused):
        await upload(server.session(), Memory(), Details(), nobody)
    assert len(server.requests) == 1
