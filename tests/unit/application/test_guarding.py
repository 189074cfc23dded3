import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import uuid4

import pytest

from docstore.adapters.rate_limits.memory import MemoryRateLimiter
from docstore.application import guarding
from docstore.application.guarding import LoginGuard, UploadGuard
from docstore.domain import names
from docstore.domain.errors import (
    AlreadyExists,
    NotAuthenticated,
    RateLimited,
    Unavailable,
    WrongPassword,
)
from docstore.domain.ids import UserId
from docstore.domain.rates import Rate
from docstore.domain.user import User
from docstore.testing.rate_limiter import Clock

pytestmark = pytest.mark.anyio

ANN: Final = "ann@example.org"
HERE: Final = "192.0.2.1"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> LoginGuard:
    return LoginGuard(MemoryRateLimiter(clock), Rate(10, 60.0), Random(0).random)


async def check(right: bool) -> None:
    await asyncio.sleep(0)
    if not right:
        raise NotAuthenticated("wrong")


async def sign_in(
    guard: LoginGuard, email: str = ANN, address: str | None = HERE, *, right: bool = False
) -> str:
    """What becomes of it."""
    try:
        async with guard.signing_in(email, address):
            await check(right)
    except (NotAuthenticated, RateLimited) as error:
        return error.code
    return "signed in"


async def times(count: int, guard: LoginGuard, **of: Any) -> Mapping[str, int]:
    found = [await sign_in(guard, **of) for _ in range(count)]
    return {code: found.count(code) for code in found}


async def test_after_too_many_failures_even_the_right_password_has_to_wait(
    guard: LoginGuard, clock: Clock
) -> None:
    assert await times(12, guard) == {"not-authenticated": 10, "rate-limited": 2}
    with pytest.raises(RateLimited) as caught:
        async with guard.signing_in(ANN, HERE):
            pytest.fail("let in")
    assert timedelta(0) < caught.value.retry_after <= timedelta(seconds=60)
    clock.now += caught.value.retry_after.total_seconds()
    assert await sign_in(guard, right=True) == "signed in"


async def test_an_account_is_guarded_against_fifty_addresses(guard: LoginGuard) -> None:
    found = [await sign_in(guard, address=f"192.0.2.{n}") for n in range(50)]
    assert found.count("not-authenticated") == 10
    assert await sign_in(guard, "bob@example.org", "192.0.2.1") == "not-authenticated"


async def test_an_address_is_kept_from_trying_fifty_accounts(guard: LoginGuard) -> None:
    found = [await sign_in(guard, email=f"{n}@example.org") for n in range(50)]
    assert found.count("not-authenticated") == 10
    assert await sign_in(guard, "1@example.org", "192.0.2.9") == "not-authenticated"


async def test_spellings_of_an_address_are_one_account(guard: LoginGuard) -> None:
    for number in range(10):
        spelling = "\uff21NN@Example.org" if number % 2 else " ann@EXAMPLE.org "
        await sign_in(guard, spelling, f"192.0.2.{number}")
    assert await sign_in(guard, ANN, "192.0.2.99") == "rate-limited"


async def test_what_is_no_address_counts_where_it_comes_from(guard: LoginGuard) -> None:
    assert await times(12, guard, email="nobody") == {"not-authenticated": 10, "rate-limited": 2}
    assert await sign_in(guard, "nobody", "192.0.2.2") == "not-authenticated"


async def test_without_an_address_the_account_counts(guard: LoginGuard) -> None:
    found = await times(12, guard, address=None)
    assert found == {"not-authenticated": 10, "rate-limited": 2}


async def test_right_passwords_cost_nothing(guard: LoginGuard) -> None:
    assert await times(50, guard, right=True) == {"signed in": 50}
    await times(9, guard)
    assert await times(50, guard, right=True) == {"signed in": 50}


async def test_an_error_of_ours_is_no_failure_of_theirs(guard: LoginGuard) -> None:
    for _ in range(20):
        with pytest.raises(Unavailable):
            async with guard.signing_in(ANN, HERE):
                raise Unavailable("the database is away")


async def test_of_a_hundred_wrong_ones_at_once_ten_are_tried(guard: LoginGuard) -> None:
    found = await asyncio.gather(*(sign_in(guard) for _ in range(100)))
    assert found.count("not-authenticated") == 10
    assert found.count("rate-limited") == 90


async def test_of_a_hundred_right_ones_at_once_each_is_let_in(guard: LoginGuard) -> None:
    await times(9, guard)
    found = await asyncio.gather(*(sign_in(guard, right=True) for _ in range(100)))
    assert found == ["signed in"] * 100


async def test_nobody_waits_for_ever(guard: LoginGuard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "PATIENCE", 0.05)
    held = [guard.signing_in(ANN, None) for _ in range(10)]
    for each in held:
        await each.__aenter__()
    assert await sign_in(guard, right=True) == "rate-limited"
    for each in held:
        await each.__aexit__(None, None, None)
    assert await sign_in(guard, right=True) == "signed in"


async def test_who_hangs_up_makes_room(guard: LoginGuard) -> None:
    async def hang() -> None:
        async with guard.signing_in(ANN, HERE):
            await asyncio.sleep(60)

    tasks = [asyncio.create_task(hang()) for _ in range(10)]
    await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await sign_in(guard, right=True) == "signed in"


async def test_a_password_said_once_more_counts_for_the_same_account(guard: LoginGuard) -> None:
    ann = User(id=UserId(uuid4()), email=names.email(ANN), created_at=datetime.now(UTC))
    for _ in range(10):
        with pytest.raises(WrongPassword):
            async with guard.confirming(ann, None):
                raise WrongPassword("wrong")
    with pytest.raises(RateLimited):
        async with guard.confirming(ann, "192.0.2.7"):
            pytest.fail("let in")
    assert await sign_in(guard, right=True) == "rate-limited"


async def test_who_has_no_email_is_counted_by_id(guard: LoginGuard) -> None:
    users = [
        User(id=UserId(uuid4()), external_id=name, created_at=datetime.now(UTC)) for name in "ab"
    ]
    for user in users:
        for _ in range(10):
            with pytest.raises(WrongPassword):
                async with guard.confirming(user, None):
                    raise WrongPassword("wrong")


async def test_finding_out_who_has_an_account_is_limited(guard: LoginGuard) -> None:
    for number in range(12):
        with pytest.raises(AlreadyExists if number < 10 else RateLimited):
            async with guard.registering(HERE):
                raise AlreadyExists("taken")
    async with guard.registering("192.0.2.2"):
        pass
    assert await sign_in(guard, right=True) == "signed in", "it is no failure to sign in"


async def test_uploads_are_counted_by_user() -> None:
    guard = UploadGuard(MemoryRateLimiter(Clock()), Rate(3, 60.0))
    one, other = UserId(uuid4()), UserId(uuid4())
    decisions = [await guard.one_more(one) for _ in range(4)]
    assert [d and (d.allowed, d.remaining) for d in decisions] == [
        (True, 2),
        (True, 1),
        (True, 0),
        (False, 0),
    ]
    first = await guard.one_more(other)
    assert first is not None
    assert first.allowed


async def test_without_a_rate_nothing_is_counted() -> None:
    guard = UploadGuard(MemoryRateLimiter(Clock()), None)
    assert [await guard.one_more(UserId(uuid4())) for _ in range(3)] == [None] * 3
