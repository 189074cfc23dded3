"""Requests that may be sent again: the first answer under a key is the answer."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NewType, Self

from docstore.domain.errors import Malformed
from docstore.domain.file import Details, File
from docstore.domain.ids import LeaseToken, UserId

IdempotencyKey = NewType("IdempotencyKey", str)

MAX_KEY: Final = 255  # characters
RUNNING: Final = 60  # seconds that a running request holds its key without renewing that
KEPT: Final = 24 * 60 * 60  # seconds that an answer is kept
_KEY: Final = re.compile(rf"[!-~]{{1,{MAX_KEY}}}")


def idempotency_key(sent: str) -> IdempotencyKey:
    """The key as sent; Malformed unless it is 1 to 255 visible ASCII characters."""
    if not _KEY.fullmatch(sent):
        raise Malformed(f"Idempotency-Key takes 1 to {MAX_KEY} visible ASCII characters")
    return IdempotencyKey(sent)


def fingerprint(
    *, route: str, query: str, details: Details, files: Iterable[tuple[str, str]]
) -> str:
    """What two requests have in common exactly when they are the same: SHA-256, in hex, of where
    they go, what they say, and the name and the SHA-256 of each of their `files`."""
    fields = [details.title, details.description, list(details.tags), dict(details.metadata)]
    told = [route, query, fields, [list(file) for file in files]]
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One user's key: held by a request that runs, then kept with its answer.

    A change makes a new Claim. `token` tells who holds it: a request whose claim was given away
    cannot answer any more.
    """

    user_id: UserId
    key: IdempotencyKey
    token: LeaseToken
    expires_at: datetime  # aware, UTC; the key is free from then on
    fingerprint: str | None = None  # of the request, once it is answered
    files: Sequence[File] = ()  # the answer: as they were when they had just been uploaded

    @classmethod
    def of(cls, user_id: UserId, key: IdempotencyKey, *, token: LeaseToken, now: datetime) -> Self:
        """A request has begun."""
        return cls(user_id=user_id, key=key, token=token, expires_at=now + _seconds(RUNNING))

    @property
    def is_answered(self) -> bool:
        return self.fingerprint is not None

    def stands(self, now: datetime) -> bool:
        """Whether the key is taken. A request that seems to hold it for long, because the clock
        went back, does not."""
        if self.is_answered:
            return now < self.expires_at
        return now < self.expires_at <= now + 2 * _seconds(RUNNING)

    def renewed(self, now: datetime) -> Self:
        """The request is running still."""
        return replace(self, expires_at=now + _seconds(RUNNING))

    def answered(self, fingerprint: str, files: Sequence[File], *, now: datetime) -> Self:
        """The request has succeeded."""
        return replace(
            self, fingerprint=fingerprint, files=tuple(files), expires_at=now + _seconds(KEPT)
        )


def _seconds(count: int) -> timedelta:
    return timedelta(seconds=count)
