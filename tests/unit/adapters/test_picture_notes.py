import io
import struct
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from docstore.adapters.processors.image import FORMATS, ImageProcessor
from docstore.application.ports.processor import Findings, ProcessorOptions, Subject
from docstore.domain.names import FileName, MediaType

JPEG, PNG = "image/jpeg", "image/png"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:li xmlns:rdf="r">unsaid</rdf:li>'
    b'<dc:subject xmlns:dc="d"><rdf:Bag xmlns:rdf="r"><rdf:li>harbour</rdf:li><rdf:li>dusk</rdf:li>'
    b"</rdf:Bag></dc:subject></x:xmpmeta>"
)


def extract(kind: str, **notes: Any) -> Findings:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, FORMATS[MediaType(kind)], **notes)
    subject = Subject(name=FileName("f"), media_type=MediaType(kind), size=file.tell())
    file.seek(0)
    return ImageProcessor(ProcessorOptions()).extract(file, subject)


def exif(tags: dict[int, Any]) -> Image.Exif:
    found = Image.Exif()
    for tag, value in tags.items():
        found[tag] = value
    return found


def test_a_picture_without_notes_has_no_text() -> None:
    findings = extract(JPEG)
    assert findings.text is None
    assert set(findings.facts) == {"image"}


def test_the_notes_of_a_camera_and_of_people() -> None:
    notes = exif(
        {
            0x010E: "A boat", 0x013B: "Ann Onym", 0x8298: "all mine", 0x010F: "Maker",
            0x9C9B: "Größe\0".encode("utf-16-le"),
        }
    )  # fmt: skip
    notes.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0at sea"
    findings = extract(JPEG, exif=notes, comment=b"Crisp", xmp=XMP)
    assert findings.text == "A boat\nAnn Onym\nall mine\nGröße\nat sea\nharbour\ndusk\nCrisp"
    told = findings.facts["text"]
    assert isinstance(told, dict)
    assert told["words"] == 12


def test_the_notes_of_an_agency() -> None:
    def record(dataset: int, value: str) -> bytes:
        return struct.pack(">BBBH", 0x1C, 2, dataset, len(value.encode())) + value.encode()

    iim = record(5, "Title") + record(25, "one") + record(25, "two") + record(0, "\0\2")
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">L", len(iim)) + iim + b"\0" * (len(iim) & 1)
    body = b"Photoshop 3.0\0" + resource
    segment = b"\xff\xed" + struct.pack(">H", len(body) + 2) + body
    assert extract(JPEG, extra=segment).text == "Title\none\ntwo"


def test_the_texts_of_png() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "Plain")
    texts.add_itxt("Description", "Öfen")
    texts.add_text("Software", "unsaid")
    assert extract(PNG, pnginfo=texts).text == "Öfen\nPlain"


@pytest.mark.parametrize("junk", [b"\0" * 300, b"\xff\xfe<x:xmpmeta", XMP[:80]])
def test_broken_notes_spoil_no_picture(junk: bytes) -> None:
    assert extract(JPEG, xmp=junk).text is None
