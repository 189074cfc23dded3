"""What goes along with bodies on their way to S3."""

import pytest

from docstore.adapters.storage.s3.checksums import Checksum, Guard, Protection
from docstore.domain.errors import Unavailable

CHECK = [b"1234", b"", b"56789"]  # what checksums are compared by
CRC = Checksum("CRC32", "y/Q5Jg==")  # 0xCBF43926


@pytest.mark.parametrize(
    ("protection", "want"),
    [
        (Protection.CRC32, CRC),
        (Protection.SHA256, Checksum("SHA256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=")),
        (Protection.SDK, None),
    ],
)
def test_the_checksum_of_each_kind(protection: Protection, want: Checksum | None) -> None:
    assert Guard(protection).checksum_of(CHECK) == want


def test_its_names() -> None:
    assert (CRC.header, CRC.element) == ("x-amz-checksum-crc32", "ChecksumCRC32")


def test_an_answer_tells_whether_the_server_has_looked() -> None:
    assert CRC.is_answered({CRC.header: CRC.value})
    assert not CRC.is_answered({"etag": CRC.value})
    with pytest.raises(Unavailable, match="CRC32"):
        CRC.is_answered({CRC.header: "AAAAAA=="})


def test_without_trust_there_are_none() -> None:
    guard = Guard(Protection.CRC32)
    guard.distrust()
    assert guard.checksum_of(CHECK) is None
