import asyncio
from threading import Event, Semaphore
from typing import Literal

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import HashingError, VerificationError

from docstore.adapters.passwords.argon2 import OWASP, Argon2Passwords
from docstore.adapters.passwords.memory import MemoryPasswords
from docstore.application.ports.passwords import Passwords
from docstore.domain.errors import Unavailable
from docstore.testing import PasswordsContract

QUICK = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1)


class TestArgon2Passwords(PasswordsContract):
    @pytest.fixture
    def passwords(self) -> Passwords:
        return Argon2Passwords()


class TestMemoryPasswords(PasswordsContract):
    @pytest.fixture
    def passwords(self) -> Passwords:
        return MemoryPasswords()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_the_cost_is_owasps() -> None:
    cost = extract_parameters(await Argon2Passwords().hash("correct horse"))
    assert (cost.type, cost.version) == (Type.ID, 19)
    assert (cost.memory_cost, cost.time_cost, cost.parallelism) == (19_456, 2, 1)
    assert (cost.salt_len, cost.hash_len) == (16, 32)


@pytest.mark.anyio
async def test_a_hash_of_another_cost_matches_and_is_due_for_a_new_one() -> None:
    hashed = await Argon2Passwords(QUICK).hash("correct horse")
    passwords = Argon2Passwords()
    assert await passwords.verify("correct horse", hashed)
    assert passwords.needs_rehash(hashed)


@pytest.mark.parametrize("passwords", [Argon2Passwords(), MemoryPasswords(cost=2)])
@pytest.mark.parametrize("hashed", ["", "$", "$argon2id$", "1$ab$cd"])
def test_what_is_no_hash_of_today_is_due_for_a_new_one(passwords: Passwords, hashed: str) -> None:
    assert passwords.needs_rehash(hashed)


class Recording(PasswordHasher):
    """Remembers which hashes it compared."""

    def __init__(self) -> None:
        super().__init__(memory_cost=8, time_cost=1, parallelism=1)
        self.compared: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.compared.append(str(hash))
        return super().verify(hash, password)


@pytest.mark.anyio
async def test_nobody_costs_as_much_as_somebody() -> None:
    hasher = Recording()
    for _ in range(2):
        assert not await Argon2Passwords(hasher).verify("correct horse", None)
    one, other = hasher.compared
    assert extract_parameters(one) == extract_parameters(hasher.hash("x"))
    assert one != other, "drawn anew each time, so that nobody knows a password for it"


class Gate(PasswordHasher):
    """Holds every thread inside until it is opened, and counts them."""

    def __init__(self) -> None:
        super().__init__(memory_cost=8, time_cost=1, parallelism=1)
        self.open = Event()
        self.entered = Semaphore(0)
        self.inside = self.most = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.release()
        assert self.open.wait(10)
        self.inside -= 1
        return super().hash(password, salt=salt)


@pytest.mark.anyio
async def test_only_so_many_hash_at_once() -> None:
    gate = Gate()
    passwords = Argon2Passwords(gate, at_once=3)
    asked = asyncio.gather(*(passwords.hash(f"word {n}") for n in range(12)))
    for _ in range(3):
        assert await asyncio.to_thread(gate.entered.acquire, timeout=10)
    assert not await asyncio.to_thread(gate.entered.acquire, timeout=0.1), "a fourth came in"
    gate.open.set()
    assert len(await asked) == 12
    assert gate.most == 3


class Broken(PasswordHasher):
    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        raise HashingError("Memory allocation error")

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        raise VerificationError("Memory allocation error")


@pytest.mark.anyio
async def test_no_memory_is_not_a_wrong_password() -> None:
    passwords = Argon2Passwords(Broken())
    with pytest.raises(Unavailable):
        await passwords.hash("correct horse")
    with pytest.raises(Unavailable):
        await passwords.verify("correct horse", OWASP.hash("correct horse"))
