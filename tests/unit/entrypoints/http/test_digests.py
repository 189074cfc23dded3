from base64 import b64encode
from hashlib import sha256, sha512

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain.errors import DigestMismatch, Malformed
from docstore.entrypoints.http.digests import read_digests, repr_digest

SHA_256 = sha256(b"x").digest()
SHA_512 = sha512(b"x").digest()


def field(**digests: bytes) -> str:
    return ", ".join(
        f"{name.replace('_', '-')}=:{b64encode(value).decode()}:" for name, value in digests.items()
    )


def test_those_that_are_verified_are_read() -> None:
    value = field(md5=b"1", sha_256=SHA_256, sha_512=SHA_512, unixsum=b"2")
    assert read_digests([value]) == {"sha-256": SHA_256, "sha-512": SHA_512}
    assert read_digests([field(sha_256=SHA_256), "", field(sha_512=SHA_512)]) == read_digests(
        [value]
    )
    assert read_digests(["", ""]) == {}
    assert read_digests(["md5=1, adler=?0"]) == {}


def test_parameters_of_a_digest_change_nothing() -> None:
    assert read_digests([field(sha_256=SHA_256) + ";a=1"]) == {"sha-256": SHA_256}


@pytest.mark.parametrize(
    "value",
    [
        "sha-256",
        "sha-256=1",
        'sha-256="x"',
        "sha-256=:x:",
        "sha-256=:AAAA:",
        "sha-256=(:AAAA:)",
        f"sha-256={b64encode(SHA_256).decode()}",
        field(sha_256=SHA_512),
        field(sha_512=SHA_256),
        ",",
        "SHA-256=:AAAA:",
        "ü",
        field(sha_256=SHA_256) + ",",
    ],
)
def test_what_is_no_digest_is_malformed(value: str) -> None:
    with pytest.raises(Malformed):
        read_digests([value])


def test_two_that_differ_can_never_both_be_right() -> None:
    with pytest.raises(DigestMismatch):
        read_digests([field(sha_256=SHA_256), field(sha_256=sha256(b"y").digest())])


@given(value=st.text(max_size=60))
def test_anything_is_read_or_malformed(value: str) -> None:
    try:
        read_digests([value])
    except Malformed:
        return


@given(data=st.binary(max_size=100))
def test_what_is_written_is_read(data: bytes) -> None:
    digest = sha256(data)
    assert read_digests([repr_digest(digest.hexdigest())]) == {"sha-256": digest.digest()}
