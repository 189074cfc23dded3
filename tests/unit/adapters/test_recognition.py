"""Text in pictures, recognised when that is asked for."""

import importlib.util
import io
import os
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from docstore.adapters.processors import budget, recognition
from docstore.adapters.processors import image as image_module
from docstore.adapters.processors.image import ImageProcessor
from docstore.adapters.processors.jail import Jail
from docstore.adapters.processors.text import TextProcessor
from docstore.application.ports.processor import Findings, Processor, ProcessorOptions, Subject
from docstore.domain.names import FileName, MediaType
from unit.adapters.jailing import body, findings_of

SENTENCE = "The lamp was lit at dusk"
WANTED = ProcessorOptions(ocr_languages="eng")
READERS = (ImageProcessor, TextProcessor)

needs_engine = pytest.mark.skipif(
    "ocr" not in os.environ.get("DOCSTORE_TEST_REQUIRE", "")
    and importlib.util.find_spec("tesserocr") is None,
    reason="tesserocr is not installed",
)


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """The engine is looked for in each test."""
    recognition._engine.cache_clear()
    yield
    recognition._engine.cache_clear()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@cache
def page() -> Image.Image:
    image = Image.new("RGB", (1000, 300), "white")
    font = ImageFont.load_default(64)
    ImageDraw.Draw(image).text((40, 80), SENTENCE, fill="black", font=font)
    return image


def encode(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def extract(processor: Processor, data: bytes, kind: str) -> Findings:
    subject = Subject(name=FileName("file"), media_type=MediaType(kind), size=len(data))
    return processor.extract(io.BytesIO(data), subject)


def warned(findings: Findings) -> Sequence[str]:
    return [f"{notice.code}: {notice.message}" for notice in findings.warnings]


@needs_engine
def test_the_words_in_a_picture_are_its_text() -> None:
    findings = extract(ImageProcessor(WANTED), encode(page(), "PNG"), "image/png")
    assert findings.text == SENTENCE
    assert findings.facts["text"]["words"] == 6  # type: ignore[index, call-overload]
    assert len(findings.pictures) == 3
    assert not findings.warnings


@needs_engine
def test_a_picture_is_read_as_it_is_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 8  # turned by a quarter
    file = io.BytesIO()
    page().transpose(Image.Transpose.ROTATE_270).save(file, "JPEG", exif=exif, quality=95)
    findings = extract(ImageProcessor(WANTED), file.getvalue(), "image/jpeg")
    assert findings.text == SENTENCE


@needs_engine
def test_the_pages_of_a_scan_are_read() -> None:
    file = io.BytesIO()
    page().save(file, "PDF", save_all=True, append_images=[page()], resolution=150)
    findings = extract(TextProcessor(WANTED), file.getvalue(), "application/pdf")
    assert (findings.text or "").count(SENTENCE) == 2


@needs_engine
def test_a_blank_page_has_no_text_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    blank = encode(Image.new("RGB", (500, 500), "white"), "PNG")
    assert extract(ImageProcessor(WANTED), blank, "image/png").text is None
    assert capfd.readouterr() == ("", "")


@needs_engine
def test_what_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_module, "PART_OF_TIME", -1.0)
    monkeypatch.setattr(budget, "PART_OF_TIME", -1.0)
    for processor, kind, media_type in (
        (ImageProcessor(WANTED), "PNG", "image/png"),
        (TextProcessor(WANTED), "PDF", "application/pdf"),
    ):
        [message] = warned(extract(processor, encode(page(), kind), media_type))
        assert message.startswith("partial: there was ")
        assert "DOCSTORE_PROCESS_SECONDS" in message


@needs_engine
@pytest.mark.anyio
async def test_it_works_in_the_jail(tmp_path: Path) -> None:
    async with Jail([each(WANTED) for each in READERS], options=WANTED, folder=tmp_path) as jail:
        for kind, media_type in (("PNG", "image/png"), ("PDF", "application/pdf")):
            data = encode(page(), kind)
            findings, *_ = await findings_of(jail, MediaType(media_type), body(data))
            assert SENTENCE in (findings.text or "")


def test_it_is_not_done_unless_asked_for() -> None:
    findings = extract(ImageProcessor(), encode(page(), "PNG"), "image/png")
    assert (findings.text, findings.warnings) == (None, [])
    assert recognition.missing(ProcessorOptions()) is None


@pytest.mark.parametrize(("processor", "kind", "media_type"), [
    (ImageProcessor, "PNG", "image/png"), (TextProcessor, "PDF", "application/pdf"),
])  # fmt: skip
def test_without_the_engine_each_file_says_so(
    processor: type[ImageProcessor | TextProcessor], kind: str, media_type: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, "tesserocr", None)  # as if it were not installed
    findings = extract(processor(WANTED), encode(page(), kind), media_type)
    why = "install docstore[ocr], or set DOCSTORE_OCR=off"
    assert warned(findings) == [f"partial: text in pictures was not recognised: {why}"]


@needs_engine
def test_data_that_is_missing_is_named(tmp_path: Path) -> None:
    options = ProcessorOptions(ocr_languages="eng+xyz", ocr_data=str(tmp_path))
    assert recognition.missing(options) == (
        "there is no eng.traineddata or no xyz.traineddata in the folder DOCSTORE_OCR_DATA"
    )


@needs_engine
def test_data_that_is_none_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "eng.traineddata").write_bytes(b"no data")
    options = ProcessorOptions(ocr_languages="eng", ocr_data=str(tmp_path))
    assert recognition.missing(options) == "the data of eng cannot be loaded (DOCSTORE_OCR)"
