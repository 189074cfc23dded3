"""The SDK's client, taught to send a body that it does not sign.

Without TLS the SDK signs the SHA-256 of every body, and over TLS it sends an MD5: a pass over the
bytes on both sides, beside that of the file's own SHA-256. A CRC-32 costs less than half of either.
"""

from datetime import datetime
from typing import TypeAlias

from minio import Minio
from minio.credentials.credentials import Credentials

from docstore.adapters.storage.s3.checksums import Pieces, size_of

Headers: TypeAlias = dict[str, str | list[str] | tuple[str]]


class UnsignedBody(tuple[bytes, ...]):
    """Sent piece by piece, as often as it takes; something else than the signature protects it."""


class Client(Minio):
    """Takes an UnsignedBody wherever the SDK takes bytes."""

    def _build_headers(
        self,
        host: str,
        headers: Headers | None = None,
        body: bytes | Pieces | None = None,
        creds: Credentials | None = None,
    ) -> tuple[Headers, datetime]:
        if body is None or isinstance(body, bytes):
            return super()._build_headers(host, headers, body, creds)
        built, date = super()._build_headers(host, headers, None, creds)
        built["Content-Length"] = str(size_of(body))
        built["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
        return built, date
