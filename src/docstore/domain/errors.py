"""Every error docstore raises on purpose, ordered by what the caller can do about it.

* DocstoreError
  - InvalidInput        change the request   (InvalidField, Malformed, TooLarge, ...)
  - NotAuthenticated    sign in
  - Forbidden           ask the owner, or the operator
  - NotFound            it is not there, or it is not yours: the two are never told apart
  - Conflict            look again, then decide   (IllegalTransition, StaleVersion, ...)
  - TooSlow             send faster
  - RateLimited         wait
  - Unavailable         the same call may work later   (OutOfSpace; the only retryable branch)
  - Damaged             the store lost or changed bytes: an operator must look
  - NewerData           install the newer version
  - ProcessingFailed    a file could not be read; becomes a file's `error`, never an answer

An error carries no HTTP status: entrypoints translate, once, in one table.
"""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import ClassVar

from docstore.domain.failure import FailureCode


class DocstoreError(Exception):
    """Base of the tree. `code` is stable and public (a problem slug); the message is for people."""

    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something went wrong on our side"
    retryable: ClassVar[bool] = False


class InvalidInput(DocstoreError):
    """What was sent breaks a rule; `problems` says which parts, as (field, message) pairs."""

    code = "invalid-input"
    title = "The request cannot be understood"
    problems: Sequence[tuple[str, str]] = ()


class Malformed(InvalidInput):
    """The body is not what its own headers say: broken JSON, a cut form, a digest that is none."""

    code = "malformed-request"
    title = "The request is malformed"


class DigestMismatch(InvalidInput):
    code = "digest-mismatch"
    title = "The bytes received are not the bytes announced"


class InvalidField(InvalidInput):
    code = "invalid-field"
    title = "A field is not acceptable"

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in problems))
        self.problems = problems


class TooLarge(InvalidInput):
    code = "too-large"
    title = "The body is too large"

    def __init__(self, limit: int, setting: str) -> None:
        super().__init__(f"more than {limit} bytes, the limit set by {setting}")
        self.limit = limit


class KeyReused(InvalidField):
    """An idempotency key stands for one request, and this is another."""

    code = "idempotency-key-reused"
    title = "The idempotency key stands for another request"

    def __init__(self) -> None:
        super().__init__(("Idempotency-Key", "was used for a request that was not the same"))


class UnsupportedMediaType(InvalidInput):
    code = "unsupported-media-type"
    title = "That type of content is not accepted"


class NotAuthenticated(DocstoreError):
    code = "not-authenticated"
    title = "Sign in first"


class Forbidden(DocstoreError):
    code = "forbidden"
    title = "Not allowed"


class WrongPassword(Forbidden):
    """Who is signed in has to say the password once more, and this is not it."""

    code = "wrong-password"
    title = "The password is wrong"


class NotFound(DocstoreError):
    code = "not-found"
    title = "Not found"

    def __init__(self, kind: str, ident: object) -> None:
        super().__init__(f"no {kind} {ident}")


class Conflict(DocstoreError):
    code = "conflict"
    title = "The state of the resource does not allow that"


class IllegalTransition(Conflict):
    code = "illegal-transition"

    def __init__(self, status: str, action: str) -> None:
        super().__init__(f"{action} is not possible while the status is {status}")


class StaleVersion(Conflict):
    """Somebody else changed it first; what was read is out of date."""

    code = "stale-version"


class PreconditionFailed(Conflict):
    """The caller named the version to be changed, and it is not the current one any more."""

    code = "precondition-failed"
    title = "It has changed since"


class AlreadyExists(Conflict):
    code = "already-exists"
    title = "It exists already"


class InProgress(Conflict):
    """The same is being done right now, by an earlier request."""

    code = "in-progress"
    title = "The same request is running already"


class NotReady(Conflict):
    """Asked too early: the file is not final yet."""

    code = "not-ready"
    title = "Not processed yet"


class TooSlow(DocstoreError):
    code = "too-slow"
    title = "The request took too long to arrive"


class RateLimited(DocstoreError):
    code = "rate-limited"
    title = "Too many requests"

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"try again in {ceil(retry_after.total_seconds())} s")
        self.retry_after = retry_after


class Unavailable(DocstoreError):
    """A part that docstore leans on did not answer; the same call may work later."""

    code = "unavailable"
    title = "Temporarily unavailable"
    retryable = True


class OutOfSpace(Unavailable):
    code = "out-of-space"
    title = "The store is full"


class Damaged(DocstoreError):
    """A row names bytes that are gone or have changed. Never answered with other bytes."""

    code = "blob-missing"
    title = "The stored bytes are damaged"


class NewerData(DocstoreError):
    """The data was made by a newer version, whose shape this one does not know."""

    code = "newer-data"
    title = "Made by a newer version"


class ProcessingFailed(DocstoreError):
    """A processor accepts the file's type and could not do its work."""

    code = "processing-failed"
    title = "The file could not be processed"

    def __init__(self, failure: FailureCode, message: str) -> None:
        super().__init__(message)
        self.failure = failure
