"""Writing one object, call by call.

The SDK's public `put_object` reads from a blocking stream: it would hold a thread for as long as
a client is slow, and it sends no checksums. So its inner calls are driven from here, and nothing
of the SDK that begins with `_` is used elsewhere, but for `client.py`; `pyproject.toml` bounds its
version.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree

from minio import Minio
from minio.datatypes import Object, Upload, parse_copy_object
from minio.error import S3Error

from docstore.adapters.storage.s3.checksums import (
    Checksum,
    Guard,
    Pieces,
    Protection,
    content_md5,
)
from docstore.adapters.storage.s3.client import Headers, UnsignedBody
from docstore.adapters.storage.s3.errors import ABSENT, UPLOAD_GONE
from docstore.domain.errors import Unavailable

MOST_PARTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class SentPart:
    number: int  # from 1
    etag: str
    checksum: Checksum | None = None  # that the server verified


@dataclass(frozen=True, slots=True)
class ObjectCalls:
    """The calls about one object. Each blocks."""

    client: Minio
    bucket: str
    key: str
    guard: Guard

    def create(self) -> str:
        """A new upload's id."""
        headers: Headers = {}
        if self.guard.protection is not Protection.SDK:
            headers["x-amz-checksum-algorithm"] = self.guard.protection.name
        return self.client._create_multipart_upload(self.bucket, self.key, headers)

    def put_whole(self, pieces: Pieces) -> str:
        """Store an object by one request; its ETag."""
        return self._put(pieces)[0]

    def put_part(self, upload_id: str, number: int, pieces: Pieces) -> SentPart:
        query: Headers = {"partNumber": str(number), "uploadId": upload_id}
        return SentPart(number, *self._put(pieces, query))

    def _put(self, pieces: Pieces, query: Headers | None = None) -> tuple[str, Checksum | None]:
        """Send a body; its ETag, and the checksum that the server has verified."""
        checksum = self.guard.checksum_of(pieces)
        is_signed = checksum is None or checksum.algorithm != Protection.CRC32.name
        answered = self._send(
            b"".join(pieces) if is_signed else UnsignedBody(pieces), checksum, query
        )
        if checksum is None or checksum.is_answered(answered):
            return answered.get("etag", "").strip('"'), checksum
        self.guard.distrust()
        return self._put(pieces, query)

    def _send(
        self, body: Any, checksum: Checksum | None, query: Headers | None
    ) -> Mapping[str, str]:
        """The headers of the answer."""
        headers: Headers = {"Content-Type": "application/octet-stream"}
        if checksum is not None:
            headers[checksum.header] = checksum.value
        answer = self.client._execute(
            "PUT", self.bucket, self.key, body, headers, query, no_body_trace=True
        )
        return answer.headers

    def copy_whole(self, source: Object) -> str:
        """Have the server copy all of `source` by one request; the copy's ETag."""
        answer = self.client._execute("PUT", self.bucket, self.key, headers=_origin(source))
        etag, _ = parse_copy_object(answer)
        return etag

    def copy_part(self, upload_id: str, number: int, source: Object, span: range) -> SentPart:
        """Have the server copy the bytes of `span` from `source`."""
        headers = _origin(source)
        headers["x-amz-copy-source-range"] = f"bytes={span.start}-{span.stop - 1}"
        etag, _ = self.client._upload_part_copy(self.bucket, self.key, upload_id, number, headers)
        return SentPart(number, etag)

    def complete(self, upload_id: str, parts: Sequence[SentPart]) -> str:
        """Make the parts an object; the ETag it should have, which is yet to be verified: an
        upload that is gone may be one whose completion was answered, and the answer lost.
        """
        try:
            return self._complete(upload_id, _completion(parts))
        except S3Error as error:
            if error.code != UPLOAD_GONE:
                raise
            return _usual_etag(parts)

    def abort(self, upload_id: str) -> bool:
        """False when there is no such upload, since another has ended it."""
        try:
            self.client._abort_multipart_upload(self.bucket, self.key, upload_id)
        except S3Error as error:
            if error.code != UPLOAD_GONE:
                raise
            return False
        return True

    def verify(self, size: int, etag: str) -> None:
        """Unavailable unless the server, asked anew, has what it said it stored."""
        try:
            found = self.client.stat_object(self.bucket, self.key)
        except S3Error as error:
            if error.code not in ABSENT:
                raise
            raise Unavailable(f"{self.key}: was stored, and is not there") from error
        if found.size != size or found.etag != etag:
            stored, there = f"{size} bytes, ETag {etag}", f"{found.size} bytes, ETag {found.etag}"
            raise Unavailable(f"{self.key}: {stored} were stored, and {there} are there")

    def _complete(self, upload_id: str, body: bytes) -> str:
        """The SDK's own call leaves the checksums out."""
        answer = self.client._execute(
            "POST",
            self.bucket,
            self.key,
            body=body,
            headers={"Content-Type": "application/xml", "Content-MD5": content_md5(body)},
            query_params={"uploadId": upload_id},
        )
        root = ElementTree.fromstring(answer.data)
        if root.tag.endswith("Error"):  # told late: the status, 200, had been sent before
            raise Unavailable(f"{self.key}: {root.findtext('{*}Code')}")
        return (root.findtext("{*}ETag") or "").strip('"')


def unfinished(client: Minio, bucket: str, before: datetime) -> Iterator[tuple[str, str]]:
    """Key and id of every upload that began before then and has not ended."""
    marker: str | None = None
    while True:
        page = client._list_multipart_uploads(bucket, key_marker=marker)
        for upload in page.uploads:
            if upload.upload_id and _is_older(upload, before):
                yield upload.object_name, upload.upload_id
        if not page.is_truncated or not page.next_key_marker:
            return
        marker = page.next_key_marker


def _usual_etag(parts: Sequence[SentPart]) -> str:
    """What servers give an object of such parts, unless they encrypt."""
    try:
        digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    except ValueError:
        return "unknown"
    return f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _origin(source: Object) -> Headers:
    """What names the object that is copied, as it was found: not what replaces it meanwhile."""
    return {
        "x-amz-copy-source": quote(f"/{source.bucket_name}/{source.object_name}"),
        "x-amz-copy-source-if-match": f'"{source.etag}"',
    }


def _is_older(upload: Upload, before: datetime) -> bool:
    return upload.initiated_time is not None and upload.initiated_time <= before


def _completion(parts: Sequence[SentPart]) -> bytes:
    root = ElementTree.Element("CompleteMultipartUpload")
    for part in parts:
        element = ElementTree.SubElement(root, "Part")
        told = {"PartNumber": str(part.number), "ETag": f'"{part.etag}"'}
        if part.checksum:
            told[part.checksum.element] = part.checksum.value
        for name, value in told.items():
            ElementTree.SubElement(element, name).text = value
    return ElementTree.tostring(root)
