"""Files within documents, and what documents say beside their text."""

import base64
import gzip
import io
import struct

import pypdfium2
import pytest

from docstore.adapters.processors import mail_attachments, ooxml, workbook_records
from docstore.adapters.processors.compound import MAGIC
from docstore.adapters.processors.contents import Contents
from docstore.adapters.processors.text import TextProcessor
from docstore.application.ports.processor import Findings, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import FileName, MediaType
from unit.adapters.archives import options, zipped
from unit.adapters.compound_files import SMALL, compound

OOXML = "application/vnd.openxmlformats-officedocument"
DOCX = f"{OOXML}.wordprocessingml.document"
PPTX = f"{OOXML}.presentationml.presentation"
XLSX = f"{OOXML}.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
EPUB, FB2 = "application/epub+zip", "application/x-fictionbook+xml"
PDF, RTF, HTML = "application/pdf", "application/rtf", "text/html"
NOTEBOOK = "application/x-ipynb+json"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def extract(data: bytes, kind: str, **more: int) -> Findings:
    subject = Subject(name=FileName("file"), media_type=MediaType(kind), size=len(data))
    return TextProcessor(options(**more)).extract(io.BytesIO(data), subject)


def text(data: bytes, kind: str, **more: int) -> str:
    return extract(data, kind, **more).text or ""


def word(said: str) -> str:
    return (
        f'<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>{said}</w:t></w:r></w:p></w:body>'
        "</w:document>"
    )


def docx(said: str, parts: dict[str, bytes | str] | None = None) -> bytes:
    return zipped({"[Content_Types].xml": TYPES, "word/document.xml": word(said), **(parts or {})})


def native(name: str, content: bytes) -> bytes:
    """The stream of a package, [MS-OLEDS] 2.3.6."""
    path = name.encode() + b"\0"
    body = b"\2\0" + path + path + struct.pack("<HHL", 0, 3, len(path)) + path
    body += struct.pack("<L", len(content)) + content
    return (struct.pack("<L", len(body)) + body).ljust(SMALL, b"\0")


def test_documents_in_documents_are_read() -> None:
    inner = docx("innermost words")
    data = docx("outer words", {"word/embeddings/Document1.docx": inner})
    assert text(data, DOCX) == "outer words\nDocument1.docx\ninnermost words"
    assert "innermost" not in text(data, DOCX, max_archive_depth=0)


@pytest.mark.parametrize("stream", ["package", "Package", "CONTENTS"])
def test_ole_objects_are_unwrapped(stream: str) -> None:
    inner = zipped({"notes.txt": "hidden words", "x.bin": bytes(range(256)) * 32})
    parts = {
        "word/embeddings/oleObject1.bin": compound({"\x01Ole10Native": native("a.txt", b"packed")}),
        "word/embeddings/oleObject2.bin": compound({stream: inner.ljust(SMALL, b"\0")}),
    }
    found = text(docx("outer words", {**parts}), DOCX)
    assert "a.txt\npacked" in found
    assert "notes.txt\nhidden words" in found


def test_objects_of_old_office_files_are_read() -> None:
    data = compound({"ObjectPool/\x01Ole10Native": native("a.txt", b"packed")})
    assert data.startswith(MAGIC)
    with pytest.raises(ProcessingFailed):  # no document, but for its object
        extract(data, "application/msword")
    parts = {"word/embeddings/old.bin": data}
    assert "packed" in text(docx("outer", {**parts}), DOCX)


def test_what_is_taken_in_as_it_is_and_where_links_lead() -> None:
    relationships = (
        f'<Relationships><Relationship Id="1" Type="{R}/aFChunk" Target="/word/chunk.html"/>'
        f'<Relationship Id="2" Type="{R}/hyperlink" Target="https://example.org/there"/>'
        f'<Relationship Id="3" Type="{R}/styles" Target="styles.xml"/></Relationships>'
    )
    page = "<!doctype html><html><p>taken in</p></html>"
    parts = {"word/_rels/document.xml.rels": relationships, "word/chunk.html": page}
    found = text(docx("outer words", {**parts}), DOCX)
    assert "taken in" in found
    assert "https://example.org/there" in found
    assert "styles.xml" not in found


def test_comments_and_notes_of_slides() -> None:
    a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    p = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    shape = "<p:sp><p:txBody><a:p><a:r><a:t>Slide</a:t></a:r></a:p></p:txBody></p:sp>"
    parts = {
        "[Content_Types].xml": TYPES,
        "ppt/presentation.xml": f"<p:presentation {p}/>",
        "ppt/slides/slide1.xml": (
            f"<p:sld {p} {a}><p:cSld><p:spTree>{shape}</p:spTree></p:cSld></p:sld>"
        ),
        "ppt/comments/comment1.xml": f"<p:cmLst {p}><p:cm><p:text>Remark</p:text></p:cm></p:cmLst>",
        "ppt/commentAuthors.xml": f'<p:cms {p}><p:cmAuthor name="Ann"/></p:cms>',
        "ppt/notesSlides/notesSlide1.xml": f"<p:n {p} {a}><a:t>Spo</a:t><a:t>ken</a:t></p:n>",
        "ppt/media/image1.png": "",
    }
    data = zipped(parts)
    found = text(data, PPTX).split("\n")
    for each in ("Slide", "Remark", "Ann", "Spoken", "image1.png"):
        assert any(each in line for line in found), each


def test_headers_of_opendocument() -> None:
    office = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    words = 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    content = (
        f"<office:document-content {office} {words}><office:body><office:text><text:p>Bo"
        "<text:span>dy</text:span></text:p></office:text></office:body></office:document-content>"
    )
    styles = (
        f"<office:document-styles {office} {words}><office:styles>unseen</office:styles>"
        "<office:master-styles><text:p>Foot</text:p></office:master-styles>"
        "</office:document-styles>"
    )
    inner = content.replace("<text:p>Bo", "<text:p>Formula ")
    data = zipped({"content.xml": content, "styles.xml": styles, "Object 1/content.xml": inner})
    found = text(data, ODT)
    assert "Body" in found
    assert "Foot" in found
    assert "Formula dy" in found
    assert "unseen" not in found


def test_a_book_in_one_file() -> None:
    book = (
        '<FictionBook xmlns="x"><description><title-info><author><first-name>Ann</first-name> '
        "<last-name>Onym</last-name></author><book-title>A Tale</book-title></title-info>"
        "<document-info><author><nickname>scanner</nickname></author></document-info></description>"
        "<body><p>O<emphasis>nc</emphasis>e upon</p><table><tr><td>1</td><td>2</td></tr></table>"
        "</body><binary>AAAA</binary></FictionBook>"
    )
    findings = extract(book.encode("utf-16"), FB2)
    assert findings.text == "Ann Onym\nA Tale\nOnce upon\n1\n2"
    document = findings.facts["document"]
    assert isinstance(document, dict)
    assert (document["title"], document["author"]) == ("A Tale", "Ann Onym")
    with pytest.raises(ProcessingFailed) as caught:
        extract(b"no book", FB2)
    assert caught.value.failure is FailureCode.CORRUPT


def test_contents_and_metadata_of_a_book_in_a_zip() -> None:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<metadata><dc:title>A Tale</dc:title><dc:creator>Ann</dc:creator><meta>unseen</meta>"
        '</metadata><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        '</manifest><spine><itemref idref="a"/></spine></package>'
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles>'
        "</container>"
    )
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>{}</p></body></html>'
    data = zipped(
        {
            "mimetype": EPUB, "META-INF/container.xml": container, "book.opf": package,
            "a.xhtml": page.format("Chapter"), "nav.xhtml": page.format("Contents"),
            "toc.ncx": "<ncx><head>unseen</head><text>Part one</text></ncx>", "i/cover.png": "",
        }
    )  # fmt: skip
    found = text(data, EPUB)
    for each in ("Chapter", "A Tale", "Ann", "Contents", "Part one", "cover.png"):
        assert each in found, each
    assert "unseen" not in found


def test_outputs_of_a_notebook() -> None:
    notebook = (
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec":'
        ' {"display_name": "Snake"}}, "cells": [{"cell_type": "code",'
        ' "source": ["print(1)"], "metadata": {}, "outputs": ['
        '{"output_type": "stream", "name": "stdout", "text": ["printed\\n"]},'
        '{"output_type": "display_data", "metadata": {}, "data": {"text/html": "<b>bold</b>",'
        ' "image/png": "AAAA", "application/json": {"key": "value"}}}]}]}'
    )
    found = text(notebook.encode(), NOTEBOOK)
    for each in ("print(1)", "printed", "bold", "value", "Snake"):
        assert each in found, each
    assert "AAAA" not in found
    assert "<b>" not in found


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("windows-1251", "cp1251"), ("KOI8-R", "koi8-r"), ("utf-8", "cp1251"), ("no-such", "cp1251")],
)
def test_a_page_in_the_encoding_that_it_declares(declared: str, encoding: str) -> None:
    words = "Съешь ещё этих мягких французских булок, да выпей же чаю"
    page = f'<html><meta http-equiv=a content="text/html; charset={declared}"><p>{words * 5}</p>'
    assert words in text(page.encode(encoding), HTML)


@pytest.mark.parametrize(
    ("encoding", "word"),
    [("iso-8859-6", "الاتحاد"), ("windows-1250", "źdźbło"), ("gb2312", "中文")],
)
def test_a_page_too_short_to_be_guessed(encoding: str, word: str) -> None:
    assert word in text(f"<meta charset={encoding}><p>{word}".encode(encoding), HTML)


def test_a_page_is_believed_to_be_in_unicode_when_it_can_be() -> None:
    assert "größer" in text('<meta charset="iso-8859-1"><p>größer</p>'.encode(), HTML)


def pdf(pages: int, attachment: tuple[str, bytes] | None = None) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(100, 100).close()
    if attachment:
        document.new_attachment(attachment[0]).set_data(attachment[1])
    file = io.BytesIO()
    document.save(file)
    document.close()
    return file.getvalue()


def test_attachments_of_pdf_and_what_is_said_in_xmp() -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:title xmlns:dc="http://purl.org/dc/elements/1.1/">'
        b"Said</dc:title><other>unsaid</other></x:xmpmeta>"
    )
    found = text(pdf(1, ("notes.txt", b"attached")) + b"\n% " + packet, PDF)
    assert found == "Said\nnotes.txt\nattached"


def test_the_pages_of_a_pdf_have_a_limit() -> None:
    findings = extract(pdf(4), PDF, max_pages=3)
    [notice] = findings.warnings
    assert notice.code == "truncated"
    assert "DOCSTORE_MAX_PAGES" in notice.message
    document = findings.facts["document"]
    assert isinstance(document, dict)
    assert document["pages"] == 4
    assert not extract(pdf(3), PDF, max_pages=3).warnings


def test_objects_in_rtf() -> None:
    stream = native("a.txt", b"packed")[4:]
    names = b"".join(struct.pack("<L", len(name)) + name for name in (b"Package\0", b"", b""))
    ole = struct.pack("<LL", 0x501, 2) + names + struct.pack("<L", len(stream)) + stream
    digits = "\n".join(ole.hex()[at : at + 64] for at in range(0, 2 * len(ole), 64))
    data = f"{{\\rtf1 outer words{{\\object{{\\*\\objdata {digits}}}}}}}".encode()
    found = text(data, RTF)
    assert "outer words" in found
    assert "a.txt\npacked" in found


def test_a_broken_object_spoils_no_document() -> None:
    data = docx("outer words", {"word/embeddings/a.bin": MAGIC + b"broken" * 1000})
    findings = extract(data, DOCX)
    assert (findings.text or "").startswith("outer words")
    assert [notice.code for notice in findings.warnings] == ["partial"]


def test_a_title_is_found_where_the_text_has_none() -> None:
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core'
        '-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title>'
        "</cp:coreProperties>"
    )
    assert (
        text(docx("words", {"docProps/core.xml": core.format("A tale")}), DOCX) == "words\nA tale"
    )
    assert text(docx("two words", {"docProps/core.xml": core.format("words")}), DOCX) == "two words"


def test_entities_are_refused() -> None:
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE a [<!ENTITY l0 "lol">{lol}]><a>before &l9;</a>'
    assert len(text(bomb.encode(), "application/xml")) < 1000
    evil = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    footer = {"word/footer1.xml": evil, "word/comments.xml": bomb}
    assert text(docx("outer words", {**footer}), DOCX) == "outer words"


def test_depth_of_elements_is_no_matter() -> None:
    deep = b"<a>" * 100_000 + b"word" + b"</a>" * 100_000
    assert text(deep, "application/xml") == "word"


def mail(kind: str, content: bytes) -> bytes:
    head = (
        "From: a@example.org\nTo: b@example.org\nSubject: Hello\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nbody words\n"
        f"--x\nContent-Type: {kind}\nContent-Transfer-Encoding: base64\n\n"
    )
    return head.encode() + base64.encodebytes(content) + b"--x--\n"


def test_attachments_of_mail_count_as_files_within_it() -> None:
    data = mail("application/zip; name=a.zip", zipped({"in.txt": "packed", "b.txt": "more"}))
    found = text(data, "message/rfc822")
    assert "body words" in found
    assert "a.zip\nin.txt\npacked" in found
    box = b"From a Mon Feb 26 10:30:00 2024\n" + data
    assert "in.txt\npacked" in text(box, "application/mbox")
    findings = extract(data, "message/rfc822", max_archive_entries=2)
    assert "body words" in (findings.text or "")
    assert "DOCSTORE_MAX_ARCHIVE_ENTRIES" in str(findings.warnings)


def test_an_attachment_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    whole = base64.encodebytes(b"attached words, and many more of them")
    data = mail("application/x-note; name=a.txt", b"").replace(b"--x--", whole[:33] + b">\n--x--")
    assert text(data, "message/rfc822").endswith("a.txt\nattached words, and many")


def test_an_attached_bomb_is_a_bomb() -> None:
    bomb = mail("application/gzip; name=a.gz", gzip.compress(bytes(65 * 1024**2), 1))
    with pytest.raises(ProcessingFailed) as caught:
        extract(bomb, "message/rfc822")
    assert caught.value.failure is FailureCode.ARCHIVE_TOO_LARGE


def test_attachments_of_outlook_files() -> None:
    folder = "__attach_version1.0_#00000000/__substg1.0_"
    data = compound({f"{folder}37010102": b"attached words ".ljust(SMALL, b".")})
    members = Contents(options(), len(data))
    [found] = mail_attachments.of_outlook(data, members)
    assert found.startswith("attached words")


def record(kind: int, body: bytes) -> bytes:
    """Of Excel's binary formats."""
    return struct.pack("<HH", kind, len(body)) + body


def test_headers_and_comments_of_old_sheets() -> None:
    header = '&L&"Arial,Bold"&12Header &P&RRight'
    comment, rest = "Größe, ", "and the rest of it"
    stream = (
        record(0x14, struct.pack("<HB", len(header), 0) + header.encode())
        + record(0x1B6, struct.pack("<10xH6x", len(comment) + len(rest)))
        + record(0x3C, b"\1" + comment.encode("utf-16-le"))
        + record(0x3C, b"\0" + rest.encode())
        + record(0x3C, b"\0formatting")
        + record(0x2F, b"")
        + record(0x15, b"\4\0\0seal")
    )
    data = compound({"Workbook": stream.ljust(SMALL, b"\0")})
    found = "\n".join(workbook_records.more(data, Contents(options(), len(data))))
    assert found.split() == ["Header", "Right", "Größe,", "and", "the", "rest", "of", "it"]


def test_places_of_pictures_in_a_sheet_are_no_text() -> None:
    drawing = (
        "<wsDr><twoCellAnchor><from><col>7</col><colOff>8</colOff><row>9</row></from>"
        "<sp><txBody><p><r><t>Boxed</t></r></p></txBody></sp></twoCellAnchor></wsDr>"
    )
    data = zipped({"[Content_Types].xml": TYPES, "xl/drawings/drawing1.xml": drawing})
    assert [*filter(None, ooxml.more(data, Contents(options(), len(data))))] == ["Boxed"]


def test_what_a_library_says_for_want_of_words_is_left_out() -> None:
    picture = r"{\pict\pngblip 89504e470d0a1a0a}"
    assert text(rf"{{\rtf1 words {picture}}}".encode(), RTF).split() == ["words"]


def test_a_sheet_from_before_compound_files() -> None:
    label = struct.pack("<HHHH", 0, 0, 0, 5) + b"Total"
    number = struct.pack("<HHHd", 0, 1, 0, 12.5)
    data = (
        record(0x0409, bytes.fromhex("000010000000"))
        + record(0x0204, label)
        + record(0x0203, number)
        + record(0x000A, b"")
    )
    found = text(data, "application/vnd.ms-excel")
    assert found.startswith("Total\t12.5")
    with pytest.raises(ProcessingFailed) as caught:
        extract(data[:20] + b"\xff" * 30, "application/vnd.ms-excel")
    assert caught.value.failure is FailureCode.CORRUPT
