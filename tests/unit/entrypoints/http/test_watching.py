"""What operators see of requests: their trace, the access log, the meters, the security log."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from litestar import Litestar

from docstore.application.observing import Stock
from docstore.application.sweeping import Swept
from docstore.container import Container
from docstore.entrypoints.http.app import create_app
from docstore.entrypoints.metrics.meters import Answered

from .conftest import PASSWORD, client_of, sign_in

pytestmark = pytest.mark.anyio

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass
class Told:
    """Meters that remember."""

    answers: list[Answered] = field(default_factory=list)
    uploads: list[tuple[int, int]] = field(default_factory=list)

    def answered(self, answered: Answered) -> None:
        self.answers.append(answered)

    def uploaded(self, files: int, size: int) -> None:
        self.uploads.append((files, size))

    def attempted(self, job_type: str, seconds: float, outcome: str) -> None: ...
    def extracted(self, processor: str, seconds: float, outcome: str) -> None: ...
    def swept(self, swept: Swept) -> None: ...
    def took_stock(self, stock: Stock) -> None: ...


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def app(container: Container, told: Told) -> AsyncIterator[Litestar]:
    app = create_app(container, told)
    async with app.lifespan():
        yield app


@pytest.fixture
def changes() -> Mapping[str, Any]:
    return {"access_log": True, "login_rate": "5/minute"}


def ours(caplog: pytest.LogCaptureFixture) -> Sequence[logging.LogRecord]:
    return [record for record in caplog.records if record.name.startswith("docstore")]


def events(caplog: pytest.LogCaptureFixture) -> Sequence[Mapping[str, Any]]:
    return [vars(record) for record in caplog.records if record.name == "docstore.security"]


async def test_every_answer_tells_its_trace(nobody: httpx.AsyncClient) -> None:
    for path in ("/health", "/nowhere", "/files"):
        answer = await nobody.get(path, headers={"X-Request-ID": TRACE})
        assert answer.headers["X-Request-ID"] == TRACE
        if answer.status_code >= 400:
            assert answer.json()["trace_id"] == TRACE


async def test_bodies_are_counted_under_their_route(alice: httpx.AsyncClient, told: Told) -> None:
    file = (await alice.post("/files?filename=a.txt", content=b"12345")).json()
    del told.answers[:]
    content = await alice.get(file["links"]["content"])
    await alice.get("/files/nonsense")
    await alice.request("SECRET", "/a/path/of/my/own")
    seen = [(a.method, a.route, a.status, a.received, a.sent) for a in told.answers]
    assert seen[0] == ("GET", "/files/{id}/content", 200, 0, len(content.content))
    assert seen[1][:3] == ("GET", "/files/{id}", 404)
    assert seen[2][:3] == ("-", "-", 404)
    assert all(a.seconds > 0 for a in told.answers)


async def test_uploads_are_counted_once_they_are_kept(alice: httpx.AsyncClient, told: Told) -> None:
    answer = await alice.post("/files?filename=a.txt", content=b"12345")
    assert (answer.status_code, told.answers[-1].received) == (201, 5)
    form = [("file", ("a", b"123")), ("file", ("b", b"4567"))]
    assert (await alice.post("/upload", files=form)).status_code == 201
    assert (await alice.post("/files?filename=a.txt", content=b"")).status_code == 422
    assert told.uploads == [(1, 5), (2, 7)]


async def test_the_access_log_has_nothing_that_a_client_made_up(
    alice: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await alice.get("/files?q=s3cr3t", headers={"X-Api-Key": "s3cr3t"})
        await alice.get("/files/s3cr3t?token=s3cr3t")
        await alice.post("/files?filename=s3cr3t", content=b"s3cr3t")
    lines = [record for record in caplog.records if record.name == "docstore.access"]
    assert [line.getMessage() for line in lines] == [
        "GET /files 200", "GET /files/{id} 404", "POST /files 201",
    ]  # fmt: skip
    assert {vars(line)["user_id"] for line in lines} == {(await alice.get("/auth/me")).json()["id"]}
    assert "s3cr3t" not in " ".join(f"{r.getMessage()} {vars(r)}" for r in ours(caplog))


@pytest.mark.parametrize("changes", [{}])
async def test_there_is_no_access_log_unless_it_is_asked_for(
    nobody: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await nobody.get("/health")
    assert ours(caplog) == []


async def test_the_life_of_an_account_is_in_the_security_log(
    app: Litestar, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with client_of(app) as client:
            await sign_in(client, "ann@example.org")
            me = (await client.get("/auth/me")).json()["id"]
            await client.post("/auth/password", json={"old": "wrong", "new": "longer than 8"})
            await client.post("/auth/password", json={"old": PASSWORD, "new": "longer than 8"})
            await client.get("/files")
            again = {"email": "ann@example.org", "password": "longer than 8"}
            token = (await client.post("/auth/login", json=again)).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            await client.request("DELETE", "/auth/me", json={"password": "longer than 8"})
    told = events(caplog)
    assert [event["event"] for event in told] == [
        "account-made", "signed-in", "wrong-password", "refused", "password-changed", "refused",
        "signed-in", "account-deleted",
    ]  # fmt: skip
    assert {event["user_id"] for event in told} == {me, None}  # None: whose token has ended
    said = " ".join(str(event) for event in told)
    assert PASSWORD not in said
    assert "longer than 8" not in said
    assert "ann@example.org" not in said


async def test_failures_and_limits_are_in_the_security_log_without_what_was_typed(
    nobody: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    typed = {"email": "hunter2@example.org", "password": "hunter2hunter2"}
    with caplog.at_level(logging.INFO):
        statuses = [(await nobody.post("/auth/login", json=typed)).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    told = events(caplog)
    assert [event["event"] for event in told] == ["sign-in-failed", "refused"] * 5 + ["refused"]
    assert told[-1]["code"] == "rate-limited"
    assert {event["client"] for event in told} == {"127.0.0.1"}
    assert "hunter2" not in " ".join(f"{event} {event['msg'] % event['args']}" for event in told)
