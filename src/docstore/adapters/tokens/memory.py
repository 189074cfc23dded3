"""Tokens that mean something in this process only. For fast tests; nothing is signed."""

import secrets
from datetime import datetime, timedelta

from docstore.application.ports.token_service import Claims, IssuedToken
from docstore.domain.errors import NotAuthenticated
from docstore.domain.ids import UserId


class MemoryTokenService:
    def __init__(self, lifetime: timedelta = timedelta(hours=1)) -> None:
        self._lifetime = lifetime
        self._issued: dict[str, Claims] = {}

    def issue(self, user_id: UserId, *, token_version: int, now: datetime) -> IssuedToken:
        token = secrets.token_urlsafe(16)
        self._issued[token] = Claims(
            user_id=user_id,
            token_version=token_version,
            token_id=token,
            expires_at=now + self._lifetime,
        )
        return IssuedToken(token, self._lifetime)

    def verify(self, token: str, *, now: datetime) -> Claims:
        claims = self._issued.get(token)
        skew = timedelta(seconds=30)
        if claims is None or not -skew < claims.expires_at - now <= self._lifetime + skew:
            raise NotAuthenticated("the token is missing, malformed, expired or not ours")
        return claims
