"""The contract of `Passwords`, for every adapter: ours and yours.

class TestMyPasswords(PasswordsContract):
    @pytest.fixture
    def passwords(self) -> Passwords:
        return MyPasswords(...)
"""

import asyncio

import pytest

from docstore.application.ports.passwords import Passwords

NEARLY = {
    "shorter": ("correct horse", "correct hors"),
    "longer": ("correct horse", "correct horse "),
    "case": ("correct horse", "Correct horse"),
    "unicode form": ("caf\u00e9 cr\u00e8me", "cafe\u0301 cre\u0300me"),
    "after a NUL": ("pass\x00word", "pass\x00w0rd"),
    "NUL at the end": ("password", "password\x00"),
    "byte 73": ("x" * 72 + "a", "x" * 72 + "b"),
    "the last of 256": ("\U0001f600" * 255 + "a", "\U0001f600" * 255 + "b"),
    "lone surrogate": ("\ud800" * 8, "\ud801" * 8),
}


@pytest.mark.anyio
class PasswordsContract:
    """Override the `passwords` fixture; every test here must pass."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def passwords(self) -> Passwords:
        raise NotImplementedError

    @pytest.mark.parametrize(("right", "wrong"), NEARLY.values(), ids=NEARLY.keys())
    async def test_exactly_what_was_set_matches(
        self, passwords: Passwords, right: str, wrong: str
    ) -> None:
        hashed = await passwords.hash(right)
        assert await passwords.verify(right, hashed)
        assert not await passwords.verify(wrong, hashed)

    async def test_no_hash_matches_nothing(self, passwords: Passwords) -> None:
        for password in ("", "None", "correct horse"):
            assert not await passwords.verify(password, None)

    @pytest.mark.parametrize("hashed", ["", "x", "$", "$argon2id$", "correct horse"])
    async def test_what_is_no_hash_matches_nothing(self, passwords: Passwords, hashed: str) -> None:
        assert not await passwords.verify("correct horse", hashed)

    async def test_hashes_are_salted_and_tell_nothing(self, passwords: Passwords) -> None:
        one, other = [await passwords.hash("correct horse") for _ in range(2)]
        assert one != other
        assert "correct" not in one
        assert one.isascii()

    async def test_what_is_made_today_needs_no_rehash(self, passwords: Passwords) -> None:
        assert not passwords.needs_rehash(await passwords.hash("correct horse"))

    async def test_many_at_once_are_all_answered(self, passwords: Passwords) -> None:
        hashed = await passwords.hash("word 3")
        asked = (passwords.verify(f"word {n}", hashed) for n in range(8))
        assert await asyncio.gather(*asked) == [n == 3 for n in range(8)]
