"""Films that mutagen does not read."""

import io
from collections.abc import Mapping

import pytest

from docstore.adapters.media_types.signatures import SignatureSniffer
from docstore.adapters.processors.media import MediaProcessor
from docstore.application.ports.media_types import Sample
from docstore.application.ports.processor import Findings, ProcessorOptions, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Json
from docstore.domain.names import FileName, MediaType
from docstore.testing import ProcessorContract
from unit.adapters.films import FRAMES, SECONDS, avi, matroska

AVI, MKV, WEBM = "video/x-msvideo", "video/x-matroska", "video/webm"
TAGS = {"ARTIST": "An artist", "GENRE": "Documentary"}


def extract(data: bytes, kind: str) -> Findings:
    subject = Subject(name=FileName("file"), media_type=MediaType(kind), size=len(data))
    return MediaProcessor(ProcessorOptions()).extract(io.BytesIO(data), subject)


def facts(findings: Findings) -> Mapping[str, Json]:
    found = findings.facts["media"]
    assert isinstance(found, Mapping)
    return found


def sniffed(data: bytes, name: str = "file") -> str:
    sample = Sample(head=data, tail=b"", size=len(data), name=FileName(name))
    return SignatureSniffer().sniff(sample)


class TestMediaProcessorOnWebm(ProcessorContract):
    processor_class = MediaProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return matroska(tags=TAGS), MediaType(WEBM)


class TestMediaProcessorOnAvi(ProcessorContract):
    processor_class = MediaProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return avi({"INAM": "A title"}), MediaType(AVI)


@pytest.mark.parametrize(("kind", "doc_type"), [(WEBM, "webm"), (MKV, "matroska")])
def test_a_film_in_matroska(kind: str, doc_type: str) -> None:
    data = matroska(doc_type, TAGS)
    assert sniffed(data) == kind
    findings = extract(data, kind)
    found = facts(findings)
    assert found["duration_s"] == SECONDS
    assert (found["codec"], found["sample_rate"], found["channels"]) == ("VP9", 48000, 2)
    assert found["tags"] == {"artist": "An artist", "genre": "Documentary", "title": "A title"}
    assert findings.text == "An artist\nDocumentary\nA title"


def test_a_film_in_avi() -> None:
    data = avi({"INAM": "A title", "ICMT": "A comment"})
    assert sniffed(data) == AVI
    found = facts(extract(data, AVI))
    assert found["duration_s"] == FRAMES / 25
    assert found["codec"] == "MPEG-4 Visual"
    assert found["tags"] == {"comment": "A comment", "title": "A title"}


def test_what_neither_shows_nor_sounds_is_corrupt() -> None:
    for kind in (AVI, MKV, "video/mpeg", "video/x-flv"):
        with pytest.raises(ProcessingFailed) as caught:
            extract(b"no film at all" * 100, kind)
        assert caught.value.failure is FailureCode.CORRUPT


def test_the_header_tells_what_is_in_a_matroska_file() -> None:
    assert sniffed(matroska("webm"), "a.weba") == "audio/webm"
    assert sniffed(matroska("matroska"), "a.mka") == "audio/x-matroska"
    assert sniffed(matroska("other")) == "application/octet-stream"
    assert sniffed(b"\x1a\x45\xdf\xa3") == "application/octet-stream"
    assert sniffed(b"\x1a\x45\xdf\xa3\x42\x82") == "application/octet-stream"
    assert sniffed(b"\x1a\x45\xdf\xa3\x42\x82\x00") == "application/octet-stream"
