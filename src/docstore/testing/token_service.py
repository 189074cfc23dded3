"""The contract of `TokenService`, for every adapter: ours and yours.

class TestMyTokens(TokenServiceContract):
    @pytest.fixture
    def tokens(self) -> TokenService:
        return MyTokens(...)
"""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from docstore.application.ports.token_service import TokenService
from docstore.domain.errors import NotAuthenticated
from docstore.domain.ids import UserId

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
USER = UserId(UUID(int=7))


class TokenServiceContract:
    """Override the `tokens` fixture; every test here must pass."""

    @pytest.fixture
    def tokens(self) -> TokenService:
        raise NotImplementedError

    @pytest.mark.parametrize("version", [1, 2, 2**31])
    def test_what_was_issued_is_recognised(self, tokens: TokenService, version: int) -> None:
        issued = tokens.issue(USER, token_version=version, now=NOW)
        claims = tokens.verify(issued.token, now=NOW)
        assert (claims.user_id, claims.token_version) == (USER, version)

    def test_it_goes_into_a_header_as_it_is(self, tokens: TokenService) -> None:
        token = tokens.issue(USER, token_version=1, now=NOW).token
        assert re.fullmatch(r"[A-Za-z0-9._~+/-]{1,4096}", token), "RFC 6750 2.1, without `=`"

    def test_it_tells_when_it_ends(self, tokens: TokenService) -> None:
        issued = tokens.issue(USER, token_version=1, now=NOW)
        expires_at = tokens.verify(issued.token, now=NOW).expires_at
        assert expires_at.utcoffset() == timedelta(0)
        assert abs(expires_at - NOW - issued.lifetime) < timedelta(seconds=1)

    def test_it_ends_by_the_clock_it_is_given(self, tokens: TokenService) -> None:
        issued = tokens.issue(USER, token_version=1, now=NOW)
        tokens.verify(issued.token, now=NOW + issued.lifetime - timedelta(seconds=1))
        with pytest.raises(NotAuthenticated):
            tokens.verify(issued.token, now=NOW + issued.lifetime + timedelta(minutes=1))
        tokens.verify(issued.token, now=NOW)

    def test_a_clock_a_few_seconds_behind_is_forgiven(self, tokens: TokenService) -> None:
        token = tokens.issue(USER, token_version=1, now=NOW).token
        tokens.verify(token, now=NOW - timedelta(seconds=5))
        with pytest.raises(NotAuthenticated):
            tokens.verify(token, now=NOW - timedelta(minutes=10))

    def test_no_two_are_the_same(self, tokens: TokenService) -> None:
        issued = [tokens.issue(USER, token_version=1, now=NOW).token for _ in range(100)]
        claims = [tokens.verify(token, now=NOW) for token in issued]
        assert len(set(issued)) == len({claim.token_id for claim in claims}) == 100

    def test_any_one_character_changed_makes_it_void(self, tokens: TokenService) -> None:
        token = tokens.issue(USER, token_version=1, now=NOW).token
        for at, character in enumerate(token):
            other = "A" if character != "A" else "B"
            with pytest.raises(NotAuthenticated):
                tokens.verify(token[:at] + other + token[at + 1 :], now=NOW)

    @pytest.mark.parametrize(
        "spelling", ["{}=", "{}==", "{}.", "{}\n", " {}", "{}\x00", "{}{}", "Bearer {}", "\ufeff{}"]
    )
    def test_it_has_one_spelling(self, tokens: TokenService, spelling: str) -> None:
        token = tokens.issue(USER, token_version=1, now=NOW).token
        with pytest.raises(NotAuthenticated):
            tokens.verify(spelling.format(token, token), now=NOW)

    @pytest.mark.parametrize(
        "token",
        ["", ".", "..", "a.b.c", "None", "\x00", "\ud800", "\ud800.a.b", "e30.e30.", "x" * 2**20],
        ids=lambda token: ascii(token[:10]),
    )
    def test_all_else_is_refused_alike(self, tokens: TokenService, token: str) -> None:
        expired = tokens.issue(USER, token_version=1, now=NOW - timedelta(days=4000)).token
        with pytest.raises(NotAuthenticated) as one:
            tokens.verify(expired, now=NOW)
        with pytest.raises(NotAuthenticated) as other:
            tokens.verify(token, now=NOW)
        assert str(one.value) == str(other.value)
