"""The first page of a PDF, as pictures."""

from io import BytesIO

import pypdfium2
import pytest
from PIL import Image

from docstore.adapters.processors import pdf_page
from docstore.adapters.processors.pdf_page import BOXES, PdfPageProcessor
from docstore.application.ports.processor import Findings, ProcessorOptions, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import FileName, MediaType
from docstore.testing import ProcessorContract
from security.bombs.pdfs import encrypted, looping_pages, no_pages, pdf, spoken, stream, words

PDF = MediaType("application/pdf")
A4 = (595, 842)
RED = b"1 0 0 rg 0 0 9999 9999 re f\n"


def page(width: float, height: float, content: bytes = RED, more: str = "") -> bytes:
    leaf = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents 4 0 R{more}>>"
    tree = "<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return pdf(["<</Type/Catalog/Pages 2 0 R>>", tree, leaf, stream(content)])


def extract(data: bytes, seconds: float = 60.0) -> Findings:
    processor = PdfPageProcessor(ProcessorOptions(seconds=seconds))
    subject = Subject(name=FileName("file"), media_type=PDF, size=len(data))
    return processor.extract(BytesIO(data), subject)


def sizes(data: bytes) -> dict[str, tuple[int, int]]:
    return {each.name: (each.width, each.height) for each in extract(data).pictures}


def shown(findings: Findings, name: str = "preview") -> Image.Image:
    [picture] = [each for each in findings.pictures if each.name == name]
    image = Image.open(BytesIO(picture.data))
    assert image.size == (picture.width, picture.height)
    assert picture.media_type == "image/jpeg"
    return image.convert("RGB")


class TestPdfPageProcessor(ProcessorContract):
    processor_class = PdfPageProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return spoken(words("good words")), PDF


def test_a_page_is_drawn_on_white_into_both_boxes() -> None:
    findings = extract(page(*A4, b"1 0 0 rg 0 421 595 421 re f\n"))  # its upper half
    assert {each.name for each in findings.pictures} == {"thumbnail", "preview"}
    image = shown(findings)
    assert image.size == (1131, 1600)
    assert image.getpixel((500, 100))[0] > 200 > image.getpixel((500, 100))[1] + 100  # type: ignore[index]
    assert min(image.getpixel((500, 1500))) > 250  # type: ignore[arg-type]
    assert shown(findings, "thumbnail").height == 256
    assert findings.facts == {}
    assert findings.text is None


def test_it_is_the_first_page() -> None:
    with pypdfium2.PdfDocument.new() as document:
        for width in (300, 600):
            document.new_page(width, 300).close()
        data = BytesIO()
        document.save(data)
    assert sizes(data.getvalue())["preview"] == (1250, 1250)


@pytest.mark.parametrize(
    ("width", "height", "fits"),
    [
        (100_000, 100_000, (1600, 1600)),
        (100_000, 1, (1600, 1)),
        (72, 36, (300, 150)),  # no more than 300 for an inch
        (1e30, 1e30, (1600, 1600)),
    ],
)
def test_no_page_is_too_large_or_too_small(
    width: float, height: float, fits: tuple[int, int]
) -> None:
    found = sizes(page(width, height))
    assert all(
        side <= most
        for name, size in found.items()
        for side, most in zip(size, BOXES[name], strict=True)
    )
    assert found["preview"] == fits or width > 1e9


def test_a_turned_page_stands_upright() -> None:
    assert sizes(page(*A4, more="/Rotate 90"))["preview"] == (1600, 1131)


def test_a_form_shows_what_is_filled_in() -> None:
    form = "/AcroForm<</Fields[6 0 R]/DA(/F 12 Tf 0 g)/DR<</Font<</F 5 0 R>>>>>>"
    field = (
        "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(MMMMMMMM)/Rect[10 10 190 90]/F 4"
        "/DA(/F 40 Tf 0 g)/P 3 0 R/MK<</BG[1 0 0]>>>>"
    )
    leaf = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Annots[6 0 R]>>"
    tree, font = (
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    data = pdf([f"<</Type/Catalog/Pages 2 0 R{form}>>", tree, leaf, stream(b""), font, field])
    colours = shown(extract(data)).resize((20, 10)).getcolors()
    assert colours is not None
    assert len(colours) > 3


def test_what_takes_a_password_has_no_picture() -> None:
    assert extract(encrypted()) == Findings()


def test_without_a_page_that_loads_it_is_corrupt() -> None:
    for data in (no_pages(), looping_pages()):
        with pytest.raises(ProcessingFailed) as caught:
            extract(data)
        assert caught.value.failure is FailureCode.CORRUPT


def test_when_only_the_first_page_is_broken_it_says_so() -> None:
    leaf = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
    tree = "<</Type/Pages/Kids[9 0 R 3 0 R]/Count 2>>"
    findings = extract(pdf(["<</Type/Catalog/Pages 2 0 R>>", tree, leaf]))
    assert [each.code for each in findings.warnings] == ["partial"]
    assert not findings.pictures


def test_a_page_that_takes_too_long_is_shown_as_far_as_it_got(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pdf_page, "PART_OF_TIME", -1.0)
    findings = extract(page(*A4, RED * 5000))
    [warning] = findings.warnings
    assert warning.code == "partial"
    assert "DOCSTORE_PROCESS_SECONDS" in warning.message
    assert len(findings.pictures) == 2
