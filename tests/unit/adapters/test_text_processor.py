import zipfile
from collections.abc import Mapping
from io import BytesIO

import pytest

from docstore.adapters.processors.text import TextProcessor
from docstore.application.ports.processor import Findings, ProcessorOptions, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Json
from docstore.domain.names import FileName, MediaType
from docstore.testing import ProcessorContract

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODP = "application/vnd.oasis.opendocument.presentation"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SENTENCE = "The quick brown fox jumps over the lazy dog, again and again, until it is tired."


def docx(text: str, more: bytes = b"") -> bytes:
    paragraph = f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
    body = f'<w:document xmlns:w="{W}"><w:body>{paragraph}</w:body></w:document>'
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/word/document.xml" ContentType="{DOCX}.main+xml"/></Types>'
    )
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core'
        '-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc'
        '/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>A tale</dc:title>'
        '<dc:creator>Aesop</dc:creator><dcterms:created xsi:type="dcterms:W3CDTF">'
        "2024-05-06T07:08:09+02:00</dcterms:created></cp:coreProperties>"
    )
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("word/document.xml", body)
        archive.writestr("docProps/core.xml", core)
        if more:
            archive.writestr("word/media/more", more)
    return file.getvalue()


def pdf(text: str) -> bytes:
    content = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 200] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    data, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF"
    return f"{data}xref\n0 6\n0000000000 65535 f \n{table}{end}".encode()


def extract(data: bytes, kind: str, **options: int) -> Findings:
    processor = TextProcessor(ProcessorOptions(**options))  # type: ignore[arg-type] # integers all
    subject = Subject(name=FileName("file"), media_type=MediaType(kind), size=len(data))
    return processor.extract(BytesIO(data), subject)


def text(data: bytes, kind: str = "text/plain") -> str | None:
    return extract(data, kind).text


def fact(findings: Findings, group: str, name: str) -> Json:
    facts = findings.facts[group]
    assert isinstance(facts, Mapping)
    return facts[name]


class TestTextProcessorOnPlainText(ProcessorContract):
    processor_class = TextProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return SENTENCE.encode(), MediaType("text/plain")


class TestTextProcessorOnWord(ProcessorContract):
    processor_class = TextProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return docx(SENTENCE), MediaType(DOCX)


class TestTextProcessorOnPdf(ProcessorContract):
    processor_class = TextProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return pdf(SENTENCE), MediaType("application/pdf")


def test_a_text_is_counted_and_previewed() -> None:
    findings = extract(f"  {SENTENCE}\n\n{SENTENCE}\n{SENTENCE}\n{SENTENCE}".encode(), "text/plain")
    assert fact(findings, "text", "words") == 64
    assert fact(findings, "text", "characters") == len(findings.text or "")
    assert fact(findings, "text", "language") == "en"
    preview = fact(findings, "text", "preview")
    assert isinstance(preview, str)
    assert preview.startswith(f"{SENTENCE} The quick")
    assert 270 <= len(preview) <= 280
    assert "document" not in findings.facts


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("Der schnelle braune Fuchs springt über den faulen Hund und läuft in den Wald.", "de"),
        ("Съешь ещё этих мягких французских булок, да выпей же чаю, сказал он.", "ru"),
        ("short", None),
    ],
)
def test_the_language_is_told_when_it_is_clear(words: str, language: str | None) -> None:
    assert fact(extract(words.encode(), "text/plain"), "text", "language") == language


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"],
)
def test_western_text_in_any_encoding(encoding: str) -> None:
    words = "Un élève français a déjà goûté la crème brûlée de l'été à la façon de Noël. "
    assert text((words * 5).encode(encoding)) == words * 5


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1251", "Съешь ещё этих мягких французских булок, да выпей же чаю. "),
        ("shift_jis", "これは日本語のテキストです。文字コードの検出を試験します。"),
        ("gb18030", "这是一个中文文本用于检测编码。我们希望它能够被正确识别。"),
    ],
)
def test_other_scripts_in_their_older_encodings(encoding: str, words: str) -> None:
    assert text((words * 8).encode(encoding)) == words * 8


def test_what_a_database_would_choke_on_is_gone() -> None:
    assert text("a\x00b\x1b[31mc\r\nd\ufffee".encode()) == "ab[31mc\nde"
    assert text(b"e" + "\u0301".encode() * 100_000) == "e" + "\u0301" * 16


@pytest.mark.parametrize("kind", ["text/plain", "text/csv", "text/markdown", "application/json"])
def test_text_is_kept_as_it_stands(kind: str) -> None:
    words = '{"a": "b, c"}\n# d\n'
    assert text(words.encode(), kind) == words


def test_a_long_text_is_cut_and_says_so() -> None:
    findings = extract("é".encode() * 1000, "text/plain", max_text_characters=100)
    assert findings.text == "é" * 100
    [notice] = findings.warnings
    assert notice.code == "truncated"
    assert "DOCSTORE_MAX_TEXT_CHARACTERS" in notice.message
    assert not extract("é".encode() * 100, "text/plain", max_text_characters=100).warnings
    assert extract(docx("é" * 101), DOCX, max_text_characters=100).text == "é" * 100


def test_nothing_but_space_is_no_text() -> None:
    findings = extract(b" \n\t ", "text/plain")
    assert findings.text is None
    assert findings.facts == {"text": None}


def test_a_word_file() -> None:
    findings = extract(docx(SENTENCE), DOCX)
    assert findings.text is not None
    assert SENTENCE in findings.text
    assert fact(findings, "document", "title") == "A tale"
    assert fact(findings, "document", "author") == "Aesop"
    assert fact(findings, "document", "created_at") == "2024-05-06T05:08:09Z"


def test_a_pdf() -> None:
    findings = extract(pdf(SENTENCE), "application/pdf")
    assert findings.text is not None
    assert "quick brown fox" in findings.text
    assert fact(findings, "document", "pages") == 1


@pytest.mark.parametrize("kind", ["text/html", "application/xhtml+xml"])
def test_a_page(kind: str) -> None:
    page = b"<html><head><title>T</title><script>var hidden</script></head><body><p>Hello &amp; bye"
    found = text(page, kind)
    assert found is not None
    assert "Hello & bye" in found
    assert "hidden" not in found


def test_markup_gives_its_words() -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><text>Caption</text></svg>'
    found = text(svg, "image/svg+xml")
    assert found is not None
    assert "Caption" in found


def test_no_file_is_read_for_an_entity() -> None:
    evil = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>word &x;</a>'
    assert "root:" not in (text(evil, "application/xml") or "")


def test_slides_of_opendocument() -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("content.xml", "<a><p>First slide</p></a>")
    assert "First slide" in (text(file.getvalue(), ODP) or "")


def test_a_mail_and_a_mailbox() -> None:
    mail = (
        b"From: a@example.org\nSubject: News\nDate: Mon, 26 Feb 2024 10:30:00 -0400\n\nDear you\n"
    )
    findings = extract(mail, "message/rfc822")
    assert "Dear you" in (findings.text or "")
    assert fact(findings, "document", "title") == "News"
    assert fact(findings, "document", "created_at") == "2024-02-26T14:30:00Z"
    box = b"From a Mon Feb 26 10:30:00 2024\n" + mail + b"\nFrom b Mon Feb 26 10:30:00 2024\n"
    found = text(box + mail.replace(b"you", b"both"), "application/mbox")
    assert found is not None
    assert "Dear you" in found
    assert "Dear both" in found


@pytest.mark.parametrize("kind", [DOCX, ODP, "application/pdf", "application/msword"])
def test_noise_is_corrupt(kind: str) -> None:
    with pytest.raises(ProcessingFailed) as caught:
        extract(b"%PDF-1.4 and then \xff\xfe\xfd" * 50, kind)
    assert caught.value.failure is FailureCode.CORRUPT


def test_an_encrypted_office_file_is_said_to_be() -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le")
    findings = extract(data, DOCX)
    assert [notice.code for notice in findings.warnings] == ["encrypted"]
    assert findings.text is None


def test_a_zip_bomb_is_refused_by_its_directory() -> None:
    with pytest.raises(ProcessingFailed) as caught:
        extract(docx("x", more=bytes(65 * 1024**2)), DOCX)
    assert caught.value.failure is FailureCode.ARCHIVE_TOO_LARGE
    assert extract(docx("x", more=bytes(1024**2)), DOCX).text is not None


def test_too_many_members_are_refused() -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(10_001):
            archive.writestr(str(number), b"")
    with pytest.raises(ProcessingFailed) as caught:
        extract(file.getvalue(), DOCX)
    assert caught.value.failure is FailureCode.ARCHIVE_TOO_LARGE
