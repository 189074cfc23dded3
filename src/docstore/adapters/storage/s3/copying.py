"""Copies made by the server: of one bucket or between two, of any size."""

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

from minio import Minio
from minio.commonconfig import CopySource
from minio.datatypes import Object

from docstore.adapters.storage.s3.errors import s3_errors
from docstore.adapters.storage.s3.multipart import MOST_PARTS, Multipart, SentPart
from docstore.adapters.storage.s3.uploading import verify
from docstore.domain.errors import DocstoreError


def copy(calls: Multipart, source: Object, piece: int) -> None:
    """Copy `source` to the object of `calls`. Blocks.

    A copy of 5 GiB is one request (the most that S3 allows), which a server may be minutes
    about. So an object of more than `piece` bytes goes by parts, each of which ends in time.
    """
    size = source.size or 0
    etag = _by_parts(calls, source, piece) if size > piece else _at_once(calls, source)
    verify(calls, size, etag)


def _at_once(calls: Multipart, source: Object) -> str:
    origin = CopySource(source.bucket_name, str(source.object_name), match_etag=source.etag)
    return _copied(calls.client, calls, origin)


def _copied(client: Minio, calls: Multipart, origin: CopySource) -> str:
    with s3_errors(calls.key):
        return client.copy_object(calls.bucket, calls.key, origin).etag or ""


def _by_parts(calls: Multipart, source: Object, piece: int) -> str:
    with s3_errors(calls.key):
        upload_id = calls.create()
        try:
            parts = [*_parts(calls, upload_id, source, piece)]
            return calls.complete(upload_id, parts)
        except BaseException:
            with suppress(DocstoreError), s3_errors(calls.key):
                calls.abort(upload_id)
            raise


def _parts(calls: Multipart, upload_id: str, source: Object, piece: int) -> Iterator[SentPart]:
    size = source.size or 0
    step = max(piece, -(-size // MOST_PARTS))
    origin = quote(f"/{source.bucket_name}/{source.object_name}")
    for number, start in enumerate(range(0, size, step), 1):
        span = range(start, min(start + step, size))
        yield calls.copy_part(upload_id, number, origin, source.etag or "", span)
