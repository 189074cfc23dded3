import logging
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio

SOMEBODY = {"email": "ada@example.org", "password": "12345678"}


async def test_registering_tells_the_account_and_no_more(nobody: httpx.AsyncClient) -> None:
    answer = await nobody.post(
        "/auth/register", json={**SOMEBODY, "email": " \uff21DA@Example.org "}
    )
    assert answer.status_code == 201
    assert answer.json().keys() == {"id", "email", "created_at"}
    assert answer.json()["email"] == "ada@example.org"
    assert answer.json()["created_at"].endswith("Z")


async def test_a_taken_address_is_409_in_any_spelling(nobody: httpx.AsyncClient) -> None:
    await nobody.post("/auth/register", json=SOMEBODY)
    answer = await nobody.post("/auth/register", json={**SOMEBODY, "email": "ADA@example.org"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/already-exists"
    assert answer.json()["detail"] == "that e-mail address is taken"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "a\x00@example.org"}, "email"),
        ({"email": 1}, "email"),
        ({"password": "1234567"}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"password": None}, "password"),
        ({"is_admin": True}, "is_admin"),
        ({"id": "x", "token_version": 7}, "id"),
    ],
)
async def test_what_is_wrong_is_named(
    nobody: httpx.AsyncClient, change: Mapping[str, Any], field: str
) -> None:
    answer = await nobody.post("/auth/register", json={**SOMEBODY, **change})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    login = await nobody.post("/auth/login", json=SOMEBODY)
    assert login.status_code == 401  # nothing was made


async def test_a_password_that_is_refused_is_not_echoed(
    nobody: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await nobody.post("/auth/register", json={**SOMEBODY, "password": "s3cr3t!"})
    assert answer.status_code == 422
    assert "s3cr3t!" not in answer.text + caplog.text


@pytest.mark.parametrize("changes", [{"registration": "closed"}])
async def test_closed_registration_is_403(nobody: httpx.AsyncClient) -> None:
    answer = await nobody.post("/auth/register", json=SOMEBODY)
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/forbidden"


@pytest.mark.parametrize("changes", [{"token_lifetime": 90}])
async def test_a_login_gives_a_bearer_token_with_its_lifetime(nobody: httpx.AsyncClient) -> None:
    await nobody.post("/auth/register", json=SOMEBODY)
    answer = await nobody.post("/auth/login", json=SOMEBODY)
    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "token_type", "expires_in"}
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 90)
    assert answer.headers["Cache-Control"] == "private, no-store"
    bearer = {"Authorization": f"bEaReR  {answer.json()['access_token']}"}
    me = await nobody.get("/auth/me", headers=bearer)
    assert me.json()["email"] == "ada@example.org"


async def test_unknown_and_wrong_are_one_and_the_same_401(nobody: httpx.AsyncClient) -> None:
    await nobody.post("/auth/register", json=SOMEBODY)
    answers = [
        await nobody.post("/auth/login", json={**SOMEBODY, **change})
        for change in ({"email": "eve@example.org"}, {"password": "87654321"}, {"email": "?"})
    ]
    bodies = [{**answer.json(), "trace_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert bodies == bodies[:1] * 3
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}


async def test_passwords_are_compared_to_the_last_byte(nobody: httpx.AsyncClient) -> None:
    password = "🔑 \x00" + "x" * 90
    assert (await nobody.post("/auth/register", json={**SOMEBODY, "password": password})).is_success
    assert (await nobody.post("/auth/login", json={**SOMEBODY, "password": password})).is_success
    cut = await nobody.post("/auth/login", json={**SOMEBODY, "password": password[:-1]})
    assert cut.status_code == 401


async def test_a_megabyte_of_password_is_not_even_read(nobody: httpx.AsyncClient) -> None:
    for path in ("/auth/register", "/auth/login"):
        answer = await nobody.post(path, json={**SOMEBODY, "password": "x" * 1_000_000})
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["body"]
