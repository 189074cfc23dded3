"""Every error is problem details, and tells no more than it should."""

import errno
import importlib
import logging
import pkgutil
import re
from collections.abc import Iterator
from datetime import timedelta
from html import escape
from typing import Any

import httpx
import pytest
from litestar import Litestar, get

import docstore.entrypoints.http
from docstore.container import Container
from docstore.domain import errors
from docstore.entrypoints.http.app import create_app
from docstore.entrypoints.http.errors import SLUGS, STATUS, status_of
from docstore.entrypoints.http.problems import PAGES

from .conftest import client_of

pytestmark = pytest.mark.anyio


def every(kind: type[errors.DocstoreError]) -> Iterator[type[errors.DocstoreError]]:
    for module in pkgutil.iter_modules(docstore.entrypoints.http.__path__):
        importlib.import_module(f"docstore.entrypoints.http.{module.name}")
    for child in kind.__subclasses__():
        yield child
        yield from every(child)


async def test_every_error_has_a_status_and_a_page() -> None:
    kinds = list(every(errors.DocstoreError))
    assert errors.OutOfSpace in kinds
    for kind in kinds:
        assert any(parent in STATUS for parent in kind.__mro__), kind
        assert PAGES[kind.code][0] == kind.title, kind
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code), kind
    assert set(SLUGS.values()) <= PAGES.keys()
    assert errors.DocstoreError.code in PAGES


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput("x"), 400),
        (errors.Malformed("x"), 400),
        (errors.DigestMismatch("x"), 400),
        (errors.NotAuthenticated("x"), 401),
        (errors.Forbidden("x"), 403),
        (errors.NotFound("file", "x"), 404),
        (errors.TooSlow("x"), 408),
        (errors.IllegalTransition("a", "b"), 409),
        (errors.StaleVersion("x"), 409),
        (errors.AlreadyExists("x"), 409),
        (errors.NotReady("x"), 409),
        (errors.TooLarge(1, "x"), 413),
        (errors.UnsupportedMediaType("x"), 415),
        (errors.InvalidField(("a", "b")), 422),
        (errors.RateLimited(timedelta(seconds=1)), 429),
        (errors.Damaged("x"), 500),
        (errors.NewerData("x"), 500),
        (errors.Unavailable("x"), 503),
        (errors.OutOfSpace("x"), 507),
    ],
)
async def test_statuses_are_those_of_the_contract(error: errors.DocstoreError, status: int) -> None:
    assert status_of(error) == status


@pytest.fixture
def failing(container: Container) -> Litestar:
    """An application that can raise anything."""
    app = create_app(container)
    error: list[Exception] = []

    @get("/raise", sync_to_thread=False)
    def fail() -> None:
        raise error[0]

    app.register(fail)
    app.state.error = error
    return app


async def ask(app: Litestar, error: Exception) -> httpx.Response:
    app.state.error[:] = [error]
    async with client_of(app) as client:
        return await client.get("/raise?token=s3cr3t")


SECRET = "UPDATE users SET x='/var/lib/docstore' password=hunter2"


@pytest.mark.parametrize(
    "error",
    [
        errors.Unavailable(SECRET),
        errors.OutOfSpace(SECRET),
        errors.Damaged(SECRET),
        errors.StaleVersion(SECRET),
        errors.Conflict(SECRET),
        errors.NewerData(SECRET),
        RuntimeError(SECRET),
        OSError(5, SECRET),
    ],
)
async def test_inner_messages_stay_in_the_log_where_the_trace_id_finds_them(
    failing: Litestar, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    with caplog.at_level(logging.INFO, logger="docstore"):
        answer = await ask(failing, error)
    assert "UPDATE" not in answer.text
    assert "Traceback" not in answer.text
    problem = answer.json()
    assert problem.keys() - {"retry_after"} == {"type", "title", "status", "detail", "trace_id"}
    assert problem["status"] == answer.status_code
    (record,) = caplog.records
    line = record.getMessage()
    assert vars(record)["trace_id"] == problem["trace_id"]
    assert "UPDATE" in line
    assert "s3cr3t" not in line


async def test_only_a_bug_is_logged_with_its_traceback(
    failing: Litestar, caplog: pytest.LogCaptureFixture
) -> None:
    for error, level, has_traceback in (
        (RuntimeError("x"), logging.ERROR, True),
        (errors.Damaged("x"), logging.ERROR, False),
        (errors.Unavailable("x"), logging.ERROR, False),
        (errors.Forbidden("x"), logging.INFO, False),
    ):
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="docstore"):
            await ask(failing, error)
        (record,) = caplog.records
        assert (record.levelno, bool(record.exc_info)) == (level, has_traceback)


async def test_who_should_wait_is_told_how_long(failing: Litestar) -> None:
    limited = await ask(failing, errors.RateLimited(timedelta(seconds=6.2)))
    assert (limited.headers["Retry-After"], limited.json()["retry_after"]) == ("7", 7)
    away = await ask(failing, errors.Unavailable("x"))
    assert int(away.headers["Retry-After"]) == away.json()["retry_after"] > 0


async def test_two_answers_never_share_a_trace_id(failing: Litestar) -> None:
    ids = {(await ask(failing, errors.Forbidden("x"))).json()["trace_id"] for _ in range(20)}
    assert len(ids) == 20


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/", 404, "not-found"),
        ("GET", "/nope", 404, "not-found"),
        ("GET", "/FILES", 404, "not-found"),
        ("GET", "/files;x", 404, "not-found"),
        ("GET", "/files/a/b/c", 404, "not-found"),
        ("GET", "/files/%2e%2e/admin", 404, "not-found"),
        ("GET", "/admin%00", 404, "not-found"),
        ("GET", "/problems/nope", 404, "not-found"),
        ("GET", "/docs/../secret", 404, "not-found"),
        ("GET", "/docs/index.html", 404, "not-found"),
        ("PUT", "/files", 405, "method-not-allowed"),
        ("TRACE", "/files", 405, "method-not-allowed"),
        ("FOO", "/files", 405, "method-not-allowed"),
        ("POST", "/health", 405, "method-not-allowed"),
        ("DELETE", "/files", 405, "method-not-allowed"),
    ],
)
async def test_the_frameworks_refusals_are_problems_too(
    nobody: httpx.AsyncClient,
    alice: httpx.AsyncClient,
    method: str,
    path: str,
    status: int,
    slug: str,
) -> None:
    for client in (nobody, alice):
        answer = await client.request(method, path)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == f"/problems/{slug}"
        assert answer.json()["title"] == PAGES[slug][0]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "private, no-store"
        if status == 405:
            assert set(answer.headers["Allow"].split(", ")) & {"GET", "POST"}


async def test_a_method_cannot_be_smuggled(alice: httpx.AsyncClient) -> None:
    file = (await alice.post("/files?filename=a", content=b"x")).json()
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Original-URL"):
        answer = await alice.get(f"/files/{file['id']}", headers={name: "DELETE"})
        assert answer.status_code == 200
    assert (await alice.get(f"/files/{file['id']}")).status_code == 200


async def test_a_strange_host_is_400_and_never_part_of_an_answer(
    alice: httpx.AsyncClient,
) -> None:
    strange = {"Host": "evil.example/?x", "X-Forwarded-Host": "evil.example"}
    answer = await alice.get("/files", headers=strange)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    forwarded = await alice.get("/files", headers={"X-Forwarded-Host": "evil.example"})
    assert forwarded.status_code == 200
    assert "evil" not in forwarded.text + str(forwarded.headers)


async def test_every_problem_type_leads_to_a_page(nobody: httpx.AsyncClient) -> None:
    for slug, (title, text) in PAGES.items():
        page = await nobody.get(f"/problems/{slug}")
        assert page.status_code == 200
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert title in page.text
        assert escape(text) in page.text


async def test_the_message_for_a_client_is_told(failing: Litestar) -> None:
    answer = await ask(failing, errors.IllegalTransition("processing", "retry"))
    assert answer.json()["detail"] == "retry is not possible while the status is processing"
    many = await ask(failing, errors.InvalidField(("a", "b"), ("c", "d")))
    fields: list[dict[str, Any]] = many.json()["errors"]
    assert fields == [{"field": "a", "message": "b"}, {"field": "c", "message": "d"}]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
async def test_what_the_system_has_too_little_of_is_no_bug(failing: Litestar, number: int) -> None:
    """Whatever needs it: even a module that is loaded on demand."""
    answer = await ask(failing, OSError(number, "no more"))
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert answer.headers["retry-after"]
    assert (await ask(failing, OSError(errno.ENOENT, "a bug"))).status_code == 500
