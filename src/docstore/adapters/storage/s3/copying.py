"""Copies made by the server: in one bucket or between two, of any size."""

from collections.abc import Iterator
from contextlib import suppress

from minio.datatypes import Object

from docstore.adapters.storage.s3.calls import MOST_PARTS, ObjectCalls, SentPart
from docstore.adapters.storage.s3.errors import s3_errors
from docstore.domain.errors import DocstoreError


def copy(calls: ObjectCalls, source: Object, piece: int) -> None:
    """Copy `source` to the object of `calls`. Blocks.

    S3 copies up to 5 GiB by one request, which a server may be minutes about. So an object of
    more than `piece` bytes goes by parts, each of which ends in time.
    """
    size = source.size or 0
    with s3_errors(str(source.object_name)):
        etag = _by_parts(calls, source, piece) if size > piece else calls.copy_whole(source)
        calls.verify(size, etag)


def _by_parts(calls: ObjectCalls, source: Object, piece: int) -> str:
    upload_id = calls.create()
    try:
        return calls.complete(upload_id, [*_parts(calls, upload_id, source, piece)])
    except BaseException:
        with suppress(DocstoreError), s3_errors(calls.key):
            calls.abort(upload_id)
        raise


def _parts(calls: ObjectCalls, upload_id: str, source: Object, piece: int) -> Iterator[SentPart]:
    size = source.size or 0
    step = max(piece, -(-size // MOST_PARTS))
    for number, start in enumerate(range(0, size, step), 1):
        span = range(start, min(start + step, size))
        yield calls.copy_part(upload_id, number, source, span)
