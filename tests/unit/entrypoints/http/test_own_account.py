"""What who is signed in may do to the account: change the password, delete it all."""

import logging
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from .conftest import PASSWORD, Bell, Store
from .test_files import uploaded

pytestmark = pytest.mark.anyio

NEW = "an even better one"
EMAIL = "alice@example.org"


async def delete(client: httpx.AsyncClient, body: Any) -> httpx.Response:
    return await client.request("DELETE", "/auth/me", json=body)


async def log_in(client: httpx.AsyncClient, password: str) -> httpx.Response:
    return await client.post("/auth/login", json={"email": EMAIL, "password": password})


async def test_a_new_password_ends_older_tokens(
    alice: httpx.AsyncClient, nobody: httpx.AsyncClient
) -> None:
    file = await uploaded(alice)
    answer = await alice.post("/auth/password", json={"old": PASSWORD, "new": NEW})
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await alice.get("/auth/me")).status_code == 401
    assert (await log_in(nobody, PASSWORD)).status_code == 401
    login = await log_in(nobody, NEW)
    assert login.status_code == 200
    alice.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
    assert (await alice.get(f"/files/{file['id']}")).status_code == 200


async def test_a_wrong_password_is_403_and_changes_nothing(
    alice: httpx.AsyncClient, nobody: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [
            await alice.post("/auth/password", json={"old": PASSWORD + "x", "new": NEW}),
            await alice.post("/auth/password", json={"old": "", "new": NEW}),
            await delete(alice, {"password": "x" * 10_000}),
            await delete(alice, {"password": PASSWORD[:-1]}),
        ]
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/wrong-password")
        assert PASSWORD[:-1] not in answer.text
    assert PASSWORD[:-1] not in caplog.text
    assert NEW not in caplog.text
    assert (await alice.get("/auth/me")).status_code == 200
    assert (await log_in(nobody, PASSWORD)).status_code == 200
    assert (await log_in(nobody, NEW)).status_code == 401


@pytest.mark.parametrize("changes", [{"login_rate": "3/minute"}])
async def test_wrong_passwords_are_counted_with_those_at_the_login(
    alice: httpx.AsyncClient, nobody: httpx.AsyncClient
) -> None:
    assert (await delete(alice, {"password": "wrong"})).status_code == 403
    wrong = {"old": "wrong", "new": NEW}
    assert (await alice.post("/auth/password", json=wrong)).status_code == 403
    assert (await log_in(nobody, "wrong")).status_code == 401
    for answer in (
        await delete(alice, {"password": PASSWORD}),
        await alice.post("/auth/password", json={"old": PASSWORD, "new": NEW}),
        await log_in(nobody, PASSWORD),
    ):
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
    assert (await alice.get("/auth/me")).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"old": PASSWORD, "new": "1234567"}, "new"),
        ({"old": PASSWORD, "new": "x" * 257}, "new"),
        ({"old": PASSWORD}, "new"),
        ({"new": NEW}, "old"),
        ({"old": PASSWORD, "new": None}, "new"),
        ({"old": 1, "new": NEW}, "old"),
        ({"old": PASSWORD, "new": NEW, "email": EMAIL}, "email"),
    ],
)
async def test_what_is_wrong_with_a_password_is_named(
    alice: httpx.AsyncClient, body: Mapping[str, Any], field: str
) -> None:
    answer = await alice.post("/auth/password", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert PASSWORD not in answer.text
    assert (await alice.get("/auth/me")).status_code == 200


async def test_the_new_password_may_be_the_old_one(alice: httpx.AsyncClient) -> None:
    answer = await alice.post("/auth/password", json={"old": PASSWORD, "new": PASSWORD})
    assert answer.status_code == 204
    assert (await alice.get("/auth/me")).status_code == 401


async def test_an_account_goes_with_its_files_and_jobs(
    alice: httpx.AsyncClient,
    bob: httpx.AsyncClient,
    nobody: httpx.AsyncClient,
    store: Store,
    bell: Bell,
) -> None:
    for n in range(3):
        await uploaded(alice, f"{n}.txt")
    kept = await uploaded(bob)
    bell.rung = 0
    answer = await delete(alice, {"password": PASSWORD})
    assert (answer.status_code, answer.content) == (204, b"")
    assert bell.rung == 1
    assert [str(file.id) for file in await store.files()] == [kept["id"]]
    for path in ("/auth/me", "/files", "/jobs"):
        assert (await alice.get(path)).status_code == 401
    assert (await delete(alice, {"password": PASSWORD})).status_code == 401
    assert (await log_in(nobody, PASSWORD)).status_code == 401
    async with store.container.begin()(read_only=True) as tx:
        now = await tx.now()
        due = await tx.jobs.due(now, told_before=now, limit=9)
    for job in due:
        await store.container.docstore().background.work(job.id)
    left = await store.blobs()
    assert left
    assert all(kept["id"] in key for key in left)
    again = await nobody.post("/auth/register", json={"email": EMAIL, "password": NEW})
    assert again.status_code == 201


async def test_deleting_needs_json_with_a_password_and_nothing_else(
    alice: httpx.AsyncClient,
) -> None:
    assert (await alice.delete("/auth/me")).status_code == 415
    assert (await delete(alice, {})).status_code == 422
    assert (await delete(alice, {"password": PASSWORD, "force": True})).status_code == 422
    form = await alice.request("DELETE", "/auth/me", data={"password": PASSWORD})
    assert form.status_code == 415
    for method, path in (("DELETE", "/auth/me?force=1"), ("POST", "/auth/password?x=1")):
        answer = await alice.request(method, path, json={"password": PASSWORD})
        assert answer.status_code == 422
    assert (await alice.get("/auth/me")).status_code == 200


async def test_nobody_has_no_account_to_close(nobody: httpx.AsyncClient) -> None:
    assert (await delete(nobody, {"password": PASSWORD})).status_code == 401
    body = {"old": PASSWORD, "new": NEW}
    assert (await nobody.post("/auth/password", json=body)).status_code == 401
