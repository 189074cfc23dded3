from typing import Protocol


class Passwords(Protocol):
    """Hashes passwords slowly, off the event loop, only so many at once."""

    async def hash(self, password: str) -> str:
        """A salted hash that carries its own parameters."""
        ...

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether they match. With None it takes the same time and says no, so that nobody can
        tell an unknown user from a wrong password.
        """
        ...

    def needs_rehash(self, hashed: str) -> bool:
        """Whether the hash was made under other parameters than today's."""
        ...
