"""Repr-Digest and Content-Digest (RFC 9530), which are Structured Fields (RFC 9651)."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Final

import http_sf

from docstore.application.metering import ALGORITHMS
from docstore.domain.errors import DigestMismatch, Malformed
from docstore.entrypoints.http.bodies import AnyRequest, values_of

FIELDS: Final = ("Repr-Digest", "Content-Digest")
"""Without a content coding, which is refused, the two mean the same bytes."""


def sent_digests(request: AnyRequest) -> Mapping[str, bytes]:
    """What the headers of a request announce; empty when they announce nothing we verify."""
    return read_digests(", ".join(values_of(request, field.lower())) for field in FIELDS)


def read_digests(values: Iterable[str]) -> Mapping[str, bytes]:
    """Algorithm to digest, of the algorithms that are verified, out of some fields' values.

    Raises Malformed for a value that is no dictionary of byte sequences of the right length, and
    DigestMismatch when two of them announce different bytes.
    """
    found: dict[str, bytes] = {}
    for value in values:
        for algorithm, digest in _dictionary(value).items():
            if found.setdefault(algorithm, digest) != digest:
                raise DigestMismatch(f"two different {algorithm} digests are announced")
    return found


def _dictionary(value: str) -> Mapping[str, bytes]:
    try:
        members = http_sf.parse(value.encode("ascii"), tltype="dictionary") if value else {}
    except ValueError:  # a StructuredFieldError, or a character beyond ASCII
        raise Malformed("a digest is to look like sha-256=:BASE64:") from None
    if not isinstance(members, dict):
        raise Malformed("a digest is to look like sha-256=:BASE64:")
    return {
        algorithm: _digest(algorithm, member)
        for algorithm, member in members.items()
        if algorithm in ALGORITHMS
    }


def _digest(algorithm: str, member: object) -> bytes:
    value = member[0] if isinstance(member, tuple) else member
    if not isinstance(value, bytes) or len(value) != ALGORITHMS[algorithm]().digest_size:
        raise Malformed(f"{algorithm} is to be the base64 of a digest between colons")
    return value


def repr_digest(sha256: str) -> str:
    """The value of Repr-Digest for a SHA-256 in hex."""
    return f"sha-256=:{b64encode(bytes.fromhex(sha256)).decode()}:"
