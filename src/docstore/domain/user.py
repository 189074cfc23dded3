from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

from docstore.domain.ids import UserId
from docstore.domain.names import Email

FIXED: Final = frozenset({"id", "created_at"})
"""Fields of a User that no change of it touches: a store writes them once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An owner of files. Either somebody who signs in with `email`, or somebody whom an embedding
    program knows as `external_id` and signs in itself.
    """

    id: UserId
    created_at: datetime  # aware, UTC
    email: Email | None = None
    external_id: str | None = None
    password_hash: str | None = None  # None: cannot sign in with a password
    disabled_at: datetime | None = None
    token_version: int = 1  # tokens that carry another number are void
    version: int = 1

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None

    def with_password(self, password_hash: str) -> Self:
        """A new password; every older token ends."""
        return replace(
            self,
            password_hash=password_hash,
            token_version=self.token_version + 1,
            version=self.version + 1,
        )

    def rehashed(self, password_hash: str) -> Self:
        """The same password under today's cost setting; tokens live on."""
        return replace(self, password_hash=password_hash, version=self.version + 1)

    def disable(self, now: datetime) -> Self:
        return replace(self, disabled_at=now, version=self.version + 1)

    def enable(self) -> Self:
        return replace(self, disabled_at=None, version=self.version + 1)
