import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from docstore.adapters.tokens import jwt
from docstore.adapters.tokens.jwt import JwtTokenService, WeakSecret
from docstore.adapters.tokens.memory import MemoryTokenService
from docstore.application.ports.token_service import TokenService
from docstore.domain.errors import NotAuthenticated
from docstore.domain.ids import UserId
from docstore.testing import TokenServiceContract

SECRET = b"a secret of tests, 32 bytes long"
HOUR = timedelta(hours=1)
NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
AT = int(NOW.timestamp())
USER = UserId(UUID(int=7))
HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {
    "iss": "docstore",
    "aud": "docstore",
    "typ": "access",
    "sub": str(USER),
    "ver": 1,
    "jti": "one",
    "iat": AT,
    "exp": AT + 3600,
}


class TestJwtTokenService(TokenServiceContract):
    @pytest.fixture
    def tokens(self) -> TokenService:
        return JwtTokenService(SECRET, HOUR)


class TestMemoryTokenService(TokenServiceContract):
    @pytest.fixture
    def tokens(self) -> TokenService:
        return MemoryTokenService()


def signed(
    claims: Mapping[str, Any] | bytes = CLAIMS,
    header: Mapping[str, Any] = HEADER,
    *,
    key: bytes = SECRET,
    digest: str = "sha256",
) -> str:
    """A token made by hand, so that no library's care stands in a forger's way."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    message = f"{_base64(json.dumps(header).encode())}.{_base64(payload)}"
    return f"{message}.{_base64(hmac.digest(key, message.encode(), digest))}"


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def unsigned(algorithm: str) -> str:
    return signed(header={**HEADER, "alg": algorithm}).rpartition(".")[0] + "."


def graft(payload_of: str, signature_of: str) -> str:
    return payload_of.rpartition(".")[0] + "." + signature_of.rpartition(".")[2]


def without(claim: str) -> str:
    return signed({name: value for name, value in CLAIMS.items() if name != claim})


def claiming(**claims: object) -> str:
    return signed({**CLAIMS, **claims})


def headed(**fields: object) -> str:
    return signed(header={**HEADER, **fields})


def spare_bits(token: str) -> str:
    """The same signature: of its last character's six bits two carry nothing."""
    spelling = token[:-1] + _ALPHABET[_ALPHABET.index(token[-1]) ^ 1]
    assert _bytes(spelling) == _bytes(token)
    return spelling


def _bytes(token: str) -> bytes:
    return urlsafe_b64decode(token.rpartition(".")[2] + "=")


_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PUBLIC_KEY = b"-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEF\n-----END PUBLIC KEY-----"
ATTACKS = {
    "A3 alg none": unsigned("none"),
    "A3 alg None": unsigned("None"),
    "A3 alg nOnE": unsigned("nOnE"),
    "A3 empty signature": unsigned("HS256"),
    "A4 HS512 with the right key": signed(header={**HEADER, "alg": "HS512"}, digest="sha512"),
    "A4 HS256 that says HS512": headed(alg="HS512"),
    "A4 RS256 signed with a public key": signed(header={**HEADER, "alg": "RS256"}, key=PUBLIC_KEY),
    "A4 no alg": signed(header={"typ": "JWT"}),
    "A5 payload edited": graft(claiming(ver=2), signed()),
    "A5 signature of another": graft(signed(), claiming(jti="other")),
    "A5 another secret": signed(key=b"b" * 32),
    "A6 crit": headed(crit=["x"]),
    "A6 crit b64": headed(crit=["b64"], b64=True),
    "A6 b64 false": headed(b64=False),
    "A7 kid path": headed(kid="../../dev/null"),
    "A7 kid SQL": headed(kid="' OR 1=1"),
    "A7 kid 5 kB": headed(kid="k" * 5000),
    "A7 jku": headed(jku="https://evil.example/keys"),
    "A7 x5u": headed(x5u="https://evil.example/key"),
    "A7 jwk": headed(jwk={"kty": "oct", "k": _base64(SECRET)}),
    **{f"A8 no {claim}": without(claim) for claim in CLAIMS},
    "A9 over for 31 s": claiming(iat=AT - 3631, exp=AT - 31),
    "A9 lives for ten years": claiming(exp=AT + 315_360_000),
    "A10 iat in 10 min": claiming(iat=AT + 600),
    "A10 nbf in 10 min": claiming(nbf=AT + 600),
    "A11 exp text": claiming(exp=str(AT + 60)),
    "A11 exp true": claiming(exp=True),
    "A11 exp float": claiming(exp=AT + 60.5),
    "A11 exp 1e308": claiming(exp=1e308),
    "A11 exp infinite": claiming(exp=float("inf")),
    "A11 exp NaN": claiming(exp=float("nan")),
    "A11 exp 10^400": claiming(exp=10**400),
    "A11 exp negative": claiming(exp=-1),
    "A11 exp []": claiming(exp=[]),
    "A11 exp null": claiming(exp=None),
    "A11 iat text": claiming(iat=str(AT)),
    "A11 iat true": claiming(iat=True),
    "A11 iat -1e308": claiming(iat=-1e308),
    "A11 iat and exp after the year 9999": claiming(iat=10**12, exp=10**12),
    "A11 sub number": claiming(sub=1),
    "A11 sub []": claiming(sub=[]),
    "A11 sub no id": claiming(sub="alice"),
    "A11 ver true": claiming(ver=True),
    "A11 ver text": claiming(ver="1"),
    "A11 ver over 64 bits": claiming(ver=2**63),
    "A11 jti number": claiming(jti=1),
    "A11 jti empty": claiming(jti=""),
    "A12 other aud": claiming(aud="other"),
    "A12 two auds": claiming(aud=["docstore", "other"]),
    "A12 aud as a list": claiming(aud=["docstore"]),
    "A12 other iss": claiming(iss="other"),
    "A12 refresh": claiming(typ="refresh"),
    "A15 padded": signed() + "=",
    "A15 spare bits": spare_bits(signed()),
    "A17 1 MiB, rightly signed": claiming(more="x" * 2**20),
    "A17 just over 8 KiB, rightly signed": claiming(more="x" * 6000),
    "A18 50,000 deep, wrong signature": signed(b"[" * 50_000, key=b"b" * 32),
    "A18 2,900 deep, rightly signed": signed(
        json.dumps(CLAIMS).encode()[:-1] + b', "x": ' + b"[" * 2900 + b"]" * 2900 + b"}"
    ),
    "A18 2,900 deep header": _base64(b"[" * 2900) + ".e30.e30",
    "payload is a list": signed(b"[]"),
    "payload is nothing": signed(b""),
    "payload is not UTF-8": signed(b'{"iss": "\xff"}'),
    "payload is UTF-16": signed(json.dumps(CLAIMS).encode("utf-16")),
}

ACCEPTED = {
    "as issued": signed(),
    "A9 over for 29 s": claiming(iat=AT - 3629, exp=AT - 29),
    "A10 iat in 5 s": claiming(iat=AT + 5, exp=AT + 3605),
    "A10 nbf in 5 s": claiming(nbf=AT + 5),
    "a claim of a later version": claiming(more=1),
}


@pytest.fixture
def tokens() -> JwtTokenService:
    return JwtTokenService(SECRET, HOUR)


@pytest.mark.parametrize("token", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(tokens: JwtTokenService, token: str) -> None:
    assert tokens.verify(token, now=NOW).user_id == USER


@pytest.mark.parametrize("token", ATTACKS.values(), ids=ATTACKS.keys())
def test_refused_with_one_message(tokens: JwtTokenService, token: str) -> None:
    with pytest.raises(NotAuthenticated) as refusal:
        tokens.verify(token, now=NOW)
    with pytest.raises(NotAuthenticated) as plain:
        tokens.verify("", now=NOW)
    assert str(refusal.value) == str(plain.value)


def test_too_long_a_token_is_not_even_hashed(
    tokens: JwtTokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(tokens, "_opened", opened.append)
    with pytest.raises(NotAuthenticated):
        tokens.verify(ATTACKS["A17 just over 8 KiB, rightly signed"], now=NOW)
    assert opened == []


def test_what_is_remembered_still_ends(tokens: JwtTokenService) -> None:
    token = tokens.issue(USER, token_version=1, now=NOW).token
    assert tokens.verify(token, now=NOW) == tokens.verify(token, now=NOW)
    with pytest.raises(NotAuthenticated):
        tokens.verify(token, now=NOW + HOUR + jwt.LEEWAY)


def test_another_secret_knows_nothing_of_it(tokens: JwtTokenService) -> None:
    token = tokens.issue(USER, token_version=1, now=NOW).token
    tokens.verify(token, now=NOW)
    with pytest.raises(NotAuthenticated):
        JwtTokenService(b"b" * 32, HOUR).verify(token, now=NOW)


def test_a_lowered_lifetime_ends_longer_tokens(tokens: JwtTokenService) -> None:
    token = tokens.issue(USER, token_version=1, now=NOW).token
    with pytest.raises(NotAuthenticated):
        JwtTokenService(SECRET, HOUR / 2).verify(token, now=NOW)


@pytest.mark.parametrize("secret", [b"", b"secret", b"x" * 31, "", "x" * 31, "\u00e9" * 15])
def test_a_short_secret_is_refused_by_its_name(secret: bytes | str) -> None:
    with pytest.raises(WeakSecret, match="DOCSTORE_JWT_SECRET"):
        JwtTokenService(secret, HOUR)


@pytest.mark.parametrize("secret", [b"x" * 32, "x" * 32, "\u00e9" * 16])
def test_32_bytes_are_enough(secret: bytes | str) -> None:
    JwtTokenService(secret, HOUR)
