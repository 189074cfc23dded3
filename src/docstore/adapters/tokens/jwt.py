"""Tokens as JWTs (RFC 7519), kept as narrow as RFC 8725 advises: one algorithm, one header, one
spelling, every claim required and of exactly one type.
"""

import secrets
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Annotated, Final, Literal, NamedTuple
from uuid import UUID

import msgspec
from jwt import PyJWS
from jwt.utils import base64url_encode

from docstore.application.ports.token_service import Claims, IssuedToken
from docstore.domain.errors import NotAuthenticated
from docstore.domain.ids import UserId

MIN_SECRET: Final = 32  # bytes: as long as the hash, RFC 7518 3.2
MAX_TOKEN: Final = 8 * 1024  # characters
LEEWAY: Final = timedelta(seconds=30)  # by how much the clocks of two nodes may differ
REMEMBERED: Final = 1024  # tokens whose signature is not computed again

_ALGORITHM: Final = "HS256"
_HEADER: Final = {"alg": _ALGORITHM, "typ": "JWT"}
_JWS: Final = PyJWS(algorithms=[_ALGORITHM])
_REFUSED: Final = "the token is missing, malformed, expired or not ours"

# Whole seconds since 1970, up to the year 3000: whatever is in range is also a datetime.
_Instant = Annotated[int, msgspec.Meta(ge=0, le=32_503_680_000)]


class WeakSecret(ValueError):
    """The secret is too short to sign with."""


class _Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The claims by their registered names. msgspec coerces nothing: `true` is no number."""

    iss: Literal["docstore"]
    aud: Literal["docstore"]
    typ: Literal["access"]
    sub: UUID
    ver: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    jti: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    iat: _Instant
    exp: _Instant
    nbf: _Instant = 0  # never issued, yet obeyed


class JwtTokenService:
    """Raises WeakSecret when `secret` (text counts in UTF-8) has fewer than 32 bytes.

    A token that lives longer than `lifetime` is refused, whoever signed it: after the setting is
    lowered, the tokens of before are void.
    """

    def __init__(self, secret: bytes | str, lifetime: timedelta) -> None:
        key = secret.encode() if isinstance(secret, str) else secret
        if len(key) < MIN_SECRET:
            raise WeakSecret(
                f"DOCSTORE_JWT_SECRET has {len(key)} bytes; at least {MIN_SECRET} are needed"
            )
        self._key = key
        self._lifetime = lifetime
        # Remembers what is signed, never whether it is current. Refusals raise, so a flood of
        # forged tokens pushes nothing out.
        self._opened = lru_cache(REMEMBERED)(partial(_opened, key))

    def issue(self, user_id: UserId, *, token_version: int, now: datetime) -> IssuedToken:
        issued_at = int(now.timestamp())
        payload = _Payload(
            iss="docstore",
            aud="docstore",
            typ="access",
            sub=user_id,
            ver=token_version,
            jti=secrets.token_urlsafe(32),
            iat=issued_at,
            exp=issued_at + int(self._lifetime.total_seconds()),
        )
        token = _JWS.encode(msgspec.json.encode(payload), self._key, algorithm=_ALGORITHM)
        return IssuedToken(token, self._lifetime)

    def verify(self, token: str, *, now: datetime) -> Claims:
        opened = self._read(token)
        if opened is None or not self._is_current(opened.payload, now.timestamp()):
            raise NotAuthenticated(_REFUSED)
        return opened.claims

    def _read(self, token: str) -> "_Opened | None":
        if len(token) > MAX_TOKEN:
            return None
        try:
            return self._opened(token)
        except Exception:  # whatever a forged token provokes, the answer is one and the same
            return None

    def _is_current(self, payload: _Payload, now: float) -> bool:
        leeway = LEEWAY.total_seconds()
        return (
            max(payload.iat, payload.nbf) <= now + leeway
            and now < payload.exp + leeway
            and payload.exp - payload.iat <= self._lifetime.total_seconds() + leeway
        )


class _Opened(NamedTuple):
    payload: _Payload
    claims: Claims


def _opened(key: bytes, token: str) -> _Opened:
    """What `token` says, once its signature holds. Raises all sorts of things for all others."""
    jws = _JWS.decode_complete(token, key, algorithms=[_ALGORITHM])
    if jws["header"] != _HEADER:
        raise ValueError("a header that is never issued: kid, jku, crit, ...")
    # Header and payload are signed as they are spelt; the signature's own base64 is not, and
    # decoders forgive an `=` at its end. One token has one spelling.
    if token.rpartition(".")[2] != base64url_encode(jws["signature"]).decode():
        raise ValueError("another spelling of a token")
    payload = msgspec.json.decode(jws["payload"], type=_Payload)
    claims = Claims(
        user_id=UserId(payload.sub),
        token_version=payload.ver,
        token_id=payload.jti,
        expires_at=datetime.fromtimestamp(payload.exp, UTC),
    )
    return _Opened(payload, claims)
