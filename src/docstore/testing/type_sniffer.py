"""The contract of `TypeSniffer`, for every adapter: ours and yours.

class TestMySniffer(TypeSnifferContract):
    @pytest.fixture
    def sniffer(self) -> TypeSniffer:
        return MySniffer()
"""

import random

import pytest

from docstore.application.ports.media_types import Sample, TypeSniffer
from docstore.domain.names import OCTET_STREAM, FileName, MediaType, media_type

ENDS = 64 * 1024  # bytes of each end that a sniffer is given at most

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00"
SIGNATURES = {
    "application/pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
    "image/gif": b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04",
    "application/gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    "text/plain": b"Dear reader,\n\nall is well.\n",
}
HOSTILE = {
    "one line": b"a" * 2 * ENDS,
    "open brackets": b"[" * 2 * ENDS,
    "open tags": b"<a " * ENDS,
    "open comments": b"<!--" * ENDS,
    "spaces": b" " * 2 * ENDS,
    "zip headers": b"PK\x03\x04" * ENDS,
    "zip with long names": b"PK\x03\x04" + b"\xff" * 2 * ENDS,
    "zeros": b"\0" * 2 * ENDS,
    "colons": b"a:" * ENDS,
    "lines": b"\n" * 2 * ENDS,
}


def sample(data: bytes, name: str = "file") -> Sample:
    """What a sniffer is told of a file with these bytes."""
    head, rest = data[:ENDS], data[ENDS:]
    return Sample(head=head, tail=rest[-ENDS:], size=len(data), name=FileName(name))


class TypeSnifferContract:
    """Override the `sniffer` fixture; every test here must pass."""

    @pytest.fixture
    def sniffer(self) -> TypeSniffer:
        raise NotImplementedError

    @pytest.mark.parametrize(("kind", "data"), SIGNATURES.items(), ids=SIGNATURES.keys())
    def test_the_content_decides(self, sniffer: TypeSniffer, kind: str, data: bytes) -> None:
        assert sniffer.sniff(sample(data)) == kind

    @pytest.mark.parametrize("name", ["x.html", "x.exe", "x.svg", "x.txt", "x"])
    def test_a_name_cannot_disguise_a_picture(self, sniffer: TypeSniffer, name: str) -> None:
        assert sniffer.sniff(sample(PNG, name)) == "image/png"

    @pytest.mark.parametrize("name", ["x.png", "x.pdf", "x.docx", "x.zip", "x.mp4"])
    def test_a_name_cannot_make_a_text_more_than_text(
        self, sniffer: TypeSniffer, name: str
    ) -> None:
        assert sniffer.sniff(sample(b"only words\n", name)) == "text/plain"

    def test_nothing_is_recognised_in_noise(self, sniffer: TypeSniffer) -> None:
        noise = b"\x00\x01\x02" + random.Random(7).randbytes(5000)
        assert sniffer.sniff(sample(noise, "x.pdf")) == OCTET_STREAM
        assert sniffer.sniff(sample(b"", "x")) == OCTET_STREAM

    @pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
    def test_hostile_content_gets_an_answer(self, sniffer: TypeSniffer, data: bytes) -> None:
        _check(sniffer, data)

    @pytest.mark.parametrize("seed", range(16))
    def test_any_bytes_get_one_answer(self, sniffer: TypeSniffer, seed: int) -> None:
        dice = random.Random(seed)
        for start in (
            b"",
            *SIGNATURES.values(),
            b"PK\x03\x04",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        ):
            _check(sniffer, start + dice.randbytes(dice.randrange(3000)))


def _check(sniffer: TypeSniffer, data: bytes) -> MediaType:
    kind = sniffer.sniff(sample(data))
    assert kind == media_type(kind)
    assert kind == sniffer.sniff(sample(data))
    return kind
