from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from docstore.domain.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a valid token says."""

    user_id: UserId
    token_version: int
    token_id: str
    expires_at: datetime  # aware, UTC


@dataclass(frozen=True, slots=True)
class IssuedToken:
    token: str
    lifetime: timedelta


class TokenService(Protocol):
    """Signs a user in and recognises them. Stateless; revocation is the user's `token_version`."""

    def issue(self, user_id: UserId, *, token_version: int, now: datetime) -> IssuedToken: ...

    def verify(self, token: str, *, now: datetime) -> Claims:
        """The claims of a token issued here and still valid; NotAuthenticated for all else."""
        ...
