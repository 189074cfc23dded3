"""Passwords hashed fast, for tests. Safe to look at, not to keep."""

import secrets
from hashlib import sha256


class MemoryPasswords:
    """`cost` costs nothing; a hash made under another one is due for a new one."""

    def __init__(self, cost: int = 1) -> None:
        self._cost = cost

    async def hash(self, password: str) -> str:
        return _salted(f"{self._cost}${secrets.token_hex(4)}", password)

    async def verify(self, password: str, hashed: str | None) -> bool:
        salt = (hashed or "").rpartition("$")[0]
        return hashed == _salted(salt, password)

    def needs_rehash(self, hashed: str) -> bool:
        return hashed.partition("$")[0] != str(self._cost)


def _salted(salt: str, password: str) -> str:
    digest = sha256(f"{salt}${password}".encode("utf-8", "surrogatepass"))
    return f"{salt}${digest.hexdigest()}"
