from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from docstore.domain.idempotency import RUNNING
from docstore.entrypoints.client.errors import Refused, Unreachable
from docstore.entrypoints.client.retrying import LONGEST_PAUSE, PATIENT, TRIES
from docstore.entrypoints.client.session import Session

pytestmark = pytest.mark.anyio

Answer = httpx.Response | Exception


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Server:
    """Gives its answers in turn; the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[bytes] = []
        self.pauses: list[float] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(await request.aread())
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def session(self) -> Session:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self), base_url="http://there")
        return Session(http, self.pause)


def busy(seconds: int, status: int = 503) -> httpx.Response:
    return httpx.Response(status, headers={"Retry-After": str(seconds)}, json={"detail": "busy"})


def body() -> AsyncIterator[bytes]:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    return pieces()


async def test_who_is_told_to_wait_waits_and_sends_all_of_it_again() -> None:
    server = Server(busy(3), busy(7, 429), httpx.Response(200, json={"a": 1}))
    assert await server.session().ask("POST", "/x", body=body) == {"a": 1}
    assert (server.pauses, server.asked) == ([3, 7], [b"abc"] * 3)


async def test_too_long_a_wait_is_a_refusal() -> None:
    server = Server(busy(int(LONGEST_PAUSE) + 1))
    with pytest.raises(Refused, match="busy"):
        await server.session().ask("GET", "/x")
    assert server.pauses == []


@pytest.mark.parametrize("told", [None, "0", "-1", "soon", "\u0661"])
@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_what_passes_is_tried_again_when_that_does_no_harm(
    status: int, told: str | None
) -> None:
    headers = {} if told is None else {b"Retry-After": told.encode()}
    server = Server(httpx.Response(status, headers=headers), httpx.Response(200, json={"a": 1}))
    assert await server.session().ask("GET", "/x") == {"a": 1}
    assert len(server.pauses) == 1
    again = Server(httpx.Response(status, headers=headers))
    with pytest.raises(Refused):
        await again.session().ask("DELETE", "/x")
    assert len(again.asked) == 1


async def test_a_date_is_waited_for() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    server = Server(
        httpx.Response(503, headers={"Retry-After": at}), httpx.Response(200, json={})
    )  # fmt: skip
    await server.session().ask("DELETE", "/x")
    assert 30 < server.pauses[0] <= 40


async def test_an_upload_outwaits_the_key_of_a_server_that_died() -> None:
    running = httpx.Response(409, json={"type": "/problems/in-progress", "detail": "runs"})
    server = Server(running)
    with pytest.raises(Refused):
        await server.session().send("POST", "/x", is_repeatable=True, tries=PATIENT)
    assert sum(server.pauses) > RUNNING


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"1"])
async def test_who_answers_otherwise_is_no_docstore(body: bytes) -> None:
    with pytest.raises(Refused, match="what answers at http://there is no docstore"):
        await Server(httpx.Response(200, content=body)).session().ask("GET", "/x")


async def test_who_was_signed_in_is_told_what_to_do() -> None:
    session = Server(httpx.Response(401, json={"detail": "expired"})).session()
    with pytest.raises(Refused, match=r"^expired$"):
        await session.ask("POST", "/auth/login")
    session.http.headers["Authorization"] = "Bearer x"
    with pytest.raises(Refused, match="expired; `docstore login` gets a new token"):
        await session.ask("GET", "/x")


async def test_a_stream_waits_too_and_asks_for_the_bytes_as_they_are() -> None:
    codings: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        codings.append(request.headers["Accept-Encoding"])
        return busy(2) if len(codings) == 1 else httpx.Response(200, content=b"abc")

    pauses = Server(busy(1))
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://there")
    async with Session(http, pauses.pause).stream("/x", {}) as found:
        assert await found.aread() == b"abc"
    assert (pauses.pauses, codings) == ([2], ["identity"] * 2)


async def test_nobody_waits_for_ever() -> None:
    server = Server(busy(1))
    with pytest.raises(Refused):
        await server.session().ask("GET", "/x")
    assert len(server.asked) == TRIES


@pytest.mark.parametrize(
    ("method", "options", "times"),
    [
        ("GET", {}, TRIES),
        ("POST", {"is_repeatable": True}, TRIES),
        ("POST", {}, 1),
        ("DELETE", {}, 1),
    ],
)
async def test_what_was_cut_is_sent_again_if_that_does_no_harm(
    method: str, options: dict[str, Any], times: int
) -> None:
    server = Server(httpx.ReadError("cut"))
    with pytest.raises(Unreachable, match="no answer from http://there: cut"):
        await server.session().ask(method, "/x", **options)
    assert len(server.asked) == times
    assert server.pauses == sorted(server.pauses)


async def test_an_upload_that_runs_still_is_waited_for() -> None:
    running = httpx.Response(409, json={"type": "/problems/in-progress", "detail": "runs"})
    server = Server(httpx.ReadError("cut"), running, running, httpx.Response(201, json={}))
    await server.session().ask("POST", "/x", is_repeatable=True, body=body, tries=PATIENT)
    assert len(server.pauses) == 3


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(404, json={"detail": "Not found"}), "Not found"),
        (
            httpx.Response(
                422,
                json={
                    "detail": "title: too long",
                    "errors": [{"field": "title", "message": "too long"}],
                },
            ),
            "title: too long",
        ),
        (
            httpx.Response(
                422,
                json={
                    "detail": "2 fields",
                    "errors": [{"field": f, "message": "bad"} for f in "ab"],
                },
            ),
            "2 fields; a: bad; b: bad",
        ),
        (httpx.Response(502, text="<html>"), "502 Bad Gateway, which docstore does not say"),
        (httpx.Response(400, json=[1]), "400 Bad Request, which docstore does not say"),
    ],
)
async def test_a_refusal_is_one_line(answer: httpx.Response, told: str) -> None:
    with pytest.raises(Refused) as refused:
        await Server(answer).session().ask("POST", "/x")
    assert str(refused.value) == told
    assert refused.value.status == answer.status_code
