"""Writing one object, call by call.

The SDK's public `put_object` reads from a blocking stream: it would hold a thread for as long as
a client is slow, and it sends no checksums. So its inner calls are driven from here, and nothing
of the SDK that begins with `_` is used elsewhere; `pyproject.toml` bounds its version.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5
from typing import Final, TypeAlias
from urllib.parse import quote
from xml.etree import ElementTree

from minio import Minio
from minio.datatypes import Object, Upload, parse_copy_object
from minio.error import S3Error

from docstore.adapters.storage.s3.checksums import checksum_headers, content_md5
from docstore.adapters.storage.s3.errors import ABSENT, UPLOAD_GONE
from docstore.domain.errors import Unavailable

MOST_PARTS: Final = 10_000

Headers: TypeAlias = "dict[str, str | list[str] | tuple[str]]"


@dataclass(frozen=True, slots=True)
class SentPart:
    number: int  # from 1
    etag: str
    sha256: str | None = None  # base64, when checksums are sent


@dataclass(frozen=True, slots=True)
class ObjectCalls:
    """The calls about one object. Each blocks."""

    client: Minio
    bucket: str
    key: str
    checksums: bool

    def create(self) -> str:
        """A new upload's id."""
        headers: Headers = {}
        if self.checksums:
            headers["x-amz-checksum-algorithm"] = "SHA256"
        return self.client._create_multipart_upload(self.bucket, self.key, headers)

    def put_whole(self, data: bytes) -> str:
        """Store an object by one request; its ETag."""
        headers = checksum_headers(data) if self.checksums else {}
        headers["Content-Type"] = "application/octet-stream"
        return self.client._put_object(self.bucket, self.key, data, {**headers}).etag or ""

    def put_part(self, upload_id: str, number: int, data: bytes) -> SentPart:
        headers = checksum_headers(data) if self.checksums else {}
        etag = self.client._upload_part(self.bucket, self.key, data, {**headers}, upload_id, number)
        return SentPart(number, etag, headers.get("x-amz-checksum-sha256"))

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
        if part.sha256:
            told["ChecksumSHA256"] = part.sha256
        for name, value in told.items():
            ElementTree.SubElement(element, name).text = value
    return ElementTree.tostring(root)
