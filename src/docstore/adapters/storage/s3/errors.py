"""The one place where the SDK's errors become docstore's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from xml.etree.ElementTree import ParseError

from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError

from docstore.domain.errors import DocstoreError, NotFound, OutOfSpace, Unavailable

ABSENT: Final = frozenset({"NoSuchKey", "NoSuchVersion"})
UPLOAD_GONE: Final = "NoSuchUpload"
BUCKET_GONE: Final = "NoSuchBucket"
BUCKET_THERE: Final = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
RANGE_BEYOND_END: Final = "InvalidRange"
_FULL: Final = frozenset(
    {"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "InsufficientStorage"}
)


@contextmanager
def s3_errors(what: str) -> Iterator[None]:
    """All but a missing object and a full store is Unavailable: an operator can cure a wrong key,
    a missing bucket or clocks that differ, and then the same call works.

    A message is what the server said, never what was asked: that is signed.
    """
    try:
        yield
    except S3Error as error:
        raise _meaning(error, what) from error
    except (MinioException, HTTPError, ParseError, OSError, ValueError) as error:
        # ValueError: the SDK's, for an answer that lacks what it must have.
        raise Unavailable(f"{what}: {_told(error)}") from error


def code_of(error: BaseException | None) -> str | None:
    """The code of the S3 error that an error of ours was made from."""
    cause = error.__cause__ if isinstance(error, DocstoreError) else error
    return cause.code if isinstance(cause, S3Error) else None


def _meaning(error: S3Error, what: str) -> DocstoreError:
    if error.code in ABSENT:
        return NotFound("blob", what)
    if error.code == BUCKET_GONE:
        return Unavailable(f"{what}: there is no bucket {error.bucket_name}; see docstore migrate")
    kind = OutOfSpace if error.code in _FULL else Unavailable
    return kind(f"{what}: {error.code}: {error.message}")


def _told(error: Exception) -> str:
    if isinstance(error, ServerError):
        return f"the server answered {error.status_code}"
    if isinstance(error, InvalidResponseError):
        return "the server answered what is not S3"
    return type(error).__name__
