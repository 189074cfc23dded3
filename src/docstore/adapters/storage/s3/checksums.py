"""Digests as HTTP headers carry them."""

from base64 import b64encode
from hashlib import md5, sha256


def checksum_headers(data: bytes) -> dict[str, str]:
    """What makes a server refuse `data` when it arrives as something else, and keep its digest."""
    return {"x-amz-checksum-sha256": b64encode(sha256(data).digest()).decode()}


def content_md5(data: bytes) -> str:
    """For Content-MD5 (RFC 1864), which S3 asks for."""
    return b64encode(md5(data, usedforsecurity=False).digest()).decode()
