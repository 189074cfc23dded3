"""Uploads in parts, call by call.

The SDK's public `put_object` reads from a blocking stream: it would hold a thread for as long as
a client is slow, and it sends no checksums. So its inner calls are driven from here, and nothing
of the SDK that begins with `_` is used elsewhere; `pyproject.toml` bounds its version.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from xml.etree import ElementTree

from minio import Minio
from minio.datatypes import Upload

from docstore.adapters.storage.s3.checksums import checksum_headers, content_md5
from docstore.domain.errors import Unavailable

MOST_PARTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class SentPart:
    number: int  # from 1
    etag: str
    sha256: str | None = None  # base64, when checksums are sent


@dataclass(frozen=True, slots=True)
class Multipart:
    """The calls about one object. Each blocks."""

    client: Minio
    bucket: str
    key: str
    checksums: bool

    def create(self) -> str:
        """A new upload's id."""
        headers: dict[str, str | list[str] | tuple[str]] = {}
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

    def copy_part(
        self, upload_id: str, number: int, source: str, etag: str, span: range
    ) -> SentPart:
        """Have the server copy the bytes of `span` from the object `source`, /bucket/key."""
        copied, _ = self.client._upload_part_copy(
            self.bucket,
            self.key,
            upload_id,
            number,
            {
                "x-amz-copy-source": source,
                "x-amz-copy-source-if-match": f'"{etag}"',
                "x-amz-copy-source-range": f"bytes={span.start}-{span.stop - 1}",
            },
        )
        return SentPart(number, copied)

    def complete(self, upload_id: str, parts: Sequence[SentPart]) -> str:
        """Make the parts an object; its ETag. The SDK's own call leaves the checksums out."""
        body = _completion(parts)
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

    def abort(self, upload_id: str) -> None:
        self.client._abort_multipart_upload(self.bucket, self.key, upload_id)


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
