"""Passwords as argon2id hashes, under the setting that OWASP's password storage sheet gives."""

import os
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError

from docstore.domain.errors import Unavailable

OWASP: Final = PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1)  # memory in KiB
AT_ONCE: Final = min(4, os.cpu_count() or 1)  # each holds 19 MiB and a core for about 30 ms

T = TypeVar("T")


class Argon2Passwords:
    """At most `at_once` threads hash at the same time; who comes later waits its turn."""

    def __init__(self, hasher: PasswordHasher = OWASP, *, at_once: int = AT_ONCE) -> None:
        self._hasher = hasher
        self._nobody = _matched_by_nothing(hasher)
        self._turns = CapacityLimiter(at_once)

    async def hash(self, password: str) -> str:
        return await self._in_turn(lambda: self._hasher.hash(_bytes(password)))

    async def verify(self, password: str, hashed: str | None) -> bool:
        # None is compared too, with a hash that costs as much.
        return await self._in_turn(lambda: self._matches(password, hashed or self._nobody))

    def needs_rehash(self, hashed: str) -> bool:
        try:
            return self._hasher.check_needs_rehash(hashed)
        except InvalidHashError:
            return True

    def _matches(self, password: str, hashed: str) -> bool:
        try:
            # Sorts out what is no hash: of that, `verify` says the same as of too little memory.
            extract_parameters(hashed)
            return self._hasher.verify(hashed, _bytes(password))
        except (VerifyMismatchError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[[], T]) -> T:
        with argon2_errors():
            return await to_thread.run_sync(work, limiter=self._turns)


def _bytes(password: str) -> bytes:
    # Exactly what was sent: no Unicode form is imposed, and there is no text without bytes.
    return password.encode("utf-8", "surrogatepass")


def _matched_by_nothing(hasher: PasswordHasher) -> str:
    """A hash under today's parameters whose digest is drawn, not computed: no password has it."""
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = (
        b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v=19${cost}${salt}${digest}"


@contextmanager
def argon2_errors() -> Iterator[None]:
    """What remains is the machine's fault, such as no memory: never said to be a wrong password."""
    try:
        yield
    except (HashingError, VerificationError) as error:
        raise Unavailable("passwords cannot be checked now") from error
