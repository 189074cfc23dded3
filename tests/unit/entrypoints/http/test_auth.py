import json
import logging
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from docstore.application.docstore import Docstore
from docstore.domain.errors import NotAuthenticated
from docstore.domain.names import Email
from docstore.entrypoints.http.auth import MAX_TOKEN, token_in

pytestmark = pytest.mark.anyio

SOME_ID = "0199d0a4-7c1e-7cc2-9d0e-5c0c7f3c1b11"


def closed_routes(document: str) -> list[tuple[str, str]]:
    return [
        (method.upper(), path.replace("{id}", SOME_ID).replace("{name}", "preview"))
        for path, methods in json.loads(document)["paths"].items()
        for method, operation in methods.items()
        if operation.get("security") != []
    ]


@pytest.mark.parametrize(
    "values",
    [
        [],
        ["Bearer"],
        ["Bearer "],
        ["Bearer a b"],
        ["Basic YTpi"],
        ["Bearer ünïcode".encode()],
        ["Bearer x, Bearer y"],
        [f"Bearer {'x' * (MAX_TOKEN + 1)}"],
        ["Bearer a.b.c"],
    ],
)
async def test_every_closed_route_wants_a_token_first(
    nobody: httpx.AsyncClient, values: list[str | bytes]
) -> None:
    routes = closed_routes((await nobody.get("/openapi.json")).text)
    assert ("POST", "/upload") in routes
    assert ("GET", "/auth/me") in routes
    for method, path in routes:
        request = nobody.build_request(method, path, content=b"{not json")
        request.headers = httpx.Headers(
            [*request.headers.raw, *((b"authorization", _bytes(value)) for value in values)]
        )
        answer = await nobody.send(request)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), path
        assert answer.headers["Content-Type"] == "application/problem+json"


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


async def test_two_authorization_headers_are_none(alice: httpx.AsyncClient) -> None:
    request = alice.build_request("GET", "/auth/me")
    request.headers = httpx.Headers(
        [*request.headers.raw, (b"authorization", alice.headers["authorization"].encode())]
    )
    assert (await alice.send(request)).status_code == 401


async def test_a_token_in_the_query_is_none_and_is_not_logged(
    alice: httpx.AsyncClient, nobody: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    token = alice.headers["authorization"].split()[1]
    with caplog.at_level(logging.DEBUG, logger="docstore"):
        answer = await nobody.get(f"/auth/me?access_token={token}")
    assert answer.status_code == 401
    assert token not in caplog.text


async def test_a_disabled_and_a_deleted_account_end_at_once(
    alice: httpx.AsyncClient, docstore: Docstore
) -> None:
    user = await docstore.accounts.find("alice@example.org")
    await docstore.accounts.set_disabled(user.id, disabled=True)
    assert (await alice.get("/auth/me")).status_code == 401
    await docstore.accounts.set_disabled(user.id, disabled=False)
    assert (await alice.get("/auth/me")).status_code == 200
    await docstore.accounts.delete(user.id)
    assert (await alice.get("/auth/me")).status_code == 401


async def test_a_token_is_one_for_its_lifetime_alone(
    alice: httpx.AsyncClient, docstore: Docstore
) -> None:
    user = await docstore.accounts.find(Email("alice@example.org"))
    tokens = docstore.accounts.log_in.tokens
    for age, status in ((0, 200), (3600 + 60, 401), (-600, 401)):
        now = datetime.now(UTC) - timedelta(seconds=age)
        token = tokens.issue(user.id, token_version=user.token_version, now=now).token
        answer = await alice.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, age


@pytest.mark.parametrize("header", [b"Bearer abc.DEF-_~+/==", b"bearer   abc.DEF-_~+/=="])
def test_a_bearer_token_is_read(header: bytes) -> None:
    assert token_in([(b"host", b"x"), (b"authorization", header)]) == "abc.DEF-_~+/=="


@pytest.mark.parametrize("header", [b"Bearer\tabc", b"Bearer abc ", b"Bearer a=b", b"Bearer\n abc"])
def test_anything_else_is_no_bearer_token(header: bytes) -> None:
    with pytest.raises(NotAuthenticated):
        token_in([(b"authorization", header)])
