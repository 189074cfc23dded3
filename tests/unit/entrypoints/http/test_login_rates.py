"""Guessing passwords, and finding out who has an account."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import httpx
import pytest
from dependency_injector import providers
from litestar import Litestar

from docstore.adapters.rate_limits.memory import MemoryRateLimiter
from docstore.container import Container
from docstore.testing.rate_limiter import Clock

pytestmark = pytest.mark.anyio

RIGHT: Final = {"email": "ann@example.org", "password": "correct horse"}
WRONG: Final = {**RIGHT, "password": "battery staple"}


@pytest.fixture
def changes() -> Mapping[str, Any]:
    return {"trusted_proxies": ["10.0.0.0/8"]}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def container(container: Container, clock: Clock) -> Container:
    container.rate_limits.override(providers.Object(MemoryRateLimiter(clock)))
    return container


def at(app: Litestar, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 4711))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://docstore")


@pytest.fixture
async def proxied(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """A client behind a trusted proxy, with Ann's account made."""
    async with at(app, "10.0.0.1") as client:
        assert (await client.post("/auth/register", json=RIGHT)).status_code == 201
        yield client


async def log_in(
    client: httpx.AsyncClient, credentials: Mapping[str, str], address: str = "192.0.2.1"
) -> httpx.Response:
    headers = {"X-Forwarded-For": address}
    return await client.post("/auth/login", json=credentials, headers=headers)


async def test_after_ten_wrong_ones_it_is_429_for_a_while(
    proxied: httpx.AsyncClient, clock: Clock
) -> None:
    for _ in range(10):
        assert (await log_in(proxied, WRONG)).status_code == 401
    for credentials in (WRONG, RIGHT):
        refused = await log_in(proxied, credentials)
        assert refused.status_code == 429
        assert refused.json()["type"] == "/problems/rate-limited"
        assert 0 < int(refused.headers["Retry-After"]) <= 60
    clock.now += int(refused.headers["Retry-After"])
    assert (await log_in(proxied, RIGHT)).status_code == 200


async def test_an_account_is_guarded_from_fifty_addresses(
    proxied: httpx.AsyncClient, clock: Clock
) -> None:
    found = Counter([(await log_in(proxied, WRONG, f"192.0.2.{n}")).status_code for n in range(50)])
    assert found == {401: 10, 429: 40}
    assert (await log_in(proxied, RIGHT, "192.0.2.200")).status_code == 429
    clock.now += 15 * 60
    assert (await log_in(proxied, RIGHT, "192.0.2.200")).status_code == 200


async def test_an_address_cannot_go_through_all_accounts(proxied: httpx.AsyncClient) -> None:
    tried = [{**WRONG, "email": f"{n}@example.org"} for n in range(50)]
    found = Counter([(await log_in(proxied, each)).status_code for each in tried])
    assert found == {401: 10, 429: 40}
    assert (await log_in(proxied, RIGHT)).status_code == 429
    assert (await log_in(proxied, RIGHT, "192.0.2.2")).status_code == 200


async def test_addresses_of_one_ipv6_site_are_one(proxied: httpx.AsyncClient) -> None:
    for number in range(10):
        await log_in(proxied, {**WRONG, "email": "x@y"}, f"2001:db8:1:2:{number}::{number}")
    assert (await log_in(proxied, RIGHT, "2001:db8:1:2::ffff")).status_code == 429
    assert (await log_in(proxied, RIGHT, "2001:db8:1:3::1")).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_who_is_no_trusted_proxy_is_not_believed(app: Litestar, header: str) -> None:
    async with at(app, "192.0.2.1") as client:
        found = []
        for number in range(12):
            told = f"for=1.1.1.{number}" if header == "Forwarded" else f"1.1.1.{number}"
            credentials = {**WRONG, "email": f"{number}@example.org"}
            answer = await client.post("/auth/login", json=credentials, headers={header: told})
            found.append(answer.status_code)
    assert Counter(found) == {401: 10, 429: 2}


async def test_nobody_learns_who_has_an_account(proxied: httpx.AsyncClient, clock: Clock) -> None:
    unknown = {**WRONG, "email": "nobody@example.org"}
    for number in range(12):
        answers = [await log_in(proxied, each, f"192.0.2.{number}") for each in (WRONG, unknown)]
        bodies = [{**answer.json(), "trace_id": ""} for answer in answers]
        assert bodies[0] == bodies[1]
        assert answers[0].headers.keys() == answers[1].headers.keys()
        assert answers[0].status_code == (401 if number < 10 else 429)
        clock.now += 0.25


async def test_of_a_hundred_wrong_ones_at_once_ten_are_tried(proxied: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(log_in(proxied, WRONG) for _ in range(100)))
    assert Counter(answer.status_code for answer in answers) == {401: 10, 429: 90}


async def test_a_hundred_right_ones_at_once_are_let_in(proxied: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(log_in(proxied, RIGHT) for _ in range(100)))
    assert Counter(answer.status_code for answer in answers) == {200: 100}


async def test_a_taken_address_is_409_so_often_and_then_429(
    proxied: httpx.AsyncClient, clock: Clock
) -> None:
    headers = {"X-Forwarded-For": "192.0.2.1"}
    answers = [await proxied.post("/auth/register", json=RIGHT, headers=headers) for _ in range(12)]
    assert Counter(answer.status_code for answer in answers) == {409: 10, 429: 2}
    new = {**RIGHT, "email": "new@example.org"}
    assert (await proxied.post("/auth/register", json=new, headers=headers)).status_code == 429
    clock.now += int(answers[-1].headers["Retry-After"])
    assert (await proxied.post("/auth/register", json=new, headers=headers)).status_code == 201
