"""What shows whether bytes have changed on their way, as HTTP headers carry it."""

import logging
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import md5, sha256
from typing import Final, TypeAlias

from zlib_ng.zlib_ng import crc32

from docstore.domain.errors import Unavailable

log = logging.getLogger(__name__)

Pieces: TypeAlias = Sequence[bytes]
"""Of a body, in order."""


class Protection(StrEnum):
    """Of bodies on their way to the server."""

    CRC32 = "crc32"  # as AWS's own SDKs do by default; the signature leaves the body out
    SHA256 = "sha256"  # beside what the SDK does
    SDK = "sdk"  # the SDK's alone: a signed SHA-256 without TLS, an MD5 over TLS


@dataclass(frozen=True, slots=True)
class Checksum:
    algorithm: str  # by the name that S3 has for it
    value: str  # base64

    @property
    def header(self) -> str:
        return f"x-amz-checksum-{self.algorithm.lower()}"

    @property
    def element(self) -> str:
        """Where a completed upload names it."""
        return f"Checksum{self.algorithm}"

    def is_answered(self, headers: Mapping[str, str]) -> bool:
        """Whether the server says that it has computed it, too. Unavailable when it found another
        one, and yet took the bytes."""
        found = headers.get(self.header)
        if found not in (None, self.value):
            raise Unavailable(f"the server has {self.algorithm} {found} of {self.value}")
        return found is not None


@dataclass(slots=True)
class Guard:
    """How a store protects bodies; shared by all that write to it.

    A server that does not look at checksums takes what has changed. It is known by its answers,
    which lack them; from the first of those on, the SDK protects the bodies of that store.
    """

    protection: Protection

    def checksum_of(self, pieces: Pieces) -> Checksum | None:
        algorithm = ALGORITHMS.get(self.protection)
        return algorithm and Checksum(self.protection.name, _base64(algorithm(pieces)))

    def distrust(self) -> None:
        before, self.protection = self.protection, Protection.SDK
        if before is not Protection.SDK:
            log.warning("the S3 server looks at no checksums: the SDK's own go along from now on")


def size_of(pieces: Pieces) -> int:
    """Bytes."""
    return sum(map(len, pieces))


def content_md5(data: bytes) -> str:
    """For Content-MD5 (RFC 1864), which S3 asks for."""
    return _base64(md5(data, usedforsecurity=False).digest())


def _crc32(pieces: Pieces) -> bytes:
    value = 0
    for piece in pieces:
        value = crc32(piece, value)
    return value.to_bytes(4, "big")


def _sha256(pieces: Pieces) -> bytes:
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def _base64(digest: bytes) -> str:
    return b64encode(digest).decode()


ALGORITHMS: Final[Mapping[Protection, Callable[[Pieces], bytes]]] = {
    Protection.CRC32: _crc32,
    Protection.SHA256: _sha256,
}
