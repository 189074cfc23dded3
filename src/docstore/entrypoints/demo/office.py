"""The least that makes an office document: a zip of a few XML files."""

from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OASIS: Final = "urn:oasis:names:tc:opendocument:xmlns"
_TYPES: Final = "application/vnd.openxmlformats-officedocument"
_ODT: Final = "application/vnd.oasis.opendocument.text"


def docx(paragraphs: Sequence[str]) -> bytes:
    body = "".join(
        f"<w:p><w:r><w:t>{escape(text, quote=False)}</w:t></w:r></w:p>" for text in paragraphs
    )
    document = f'<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
    kinds = {"/word/document.xml": f"{_TYPES}.wordprocessingml.document.main+xml"}
    parts = {"word/document.xml": document}
    return _open_xml("word/document.xml", kinds, parts)


def xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    cells = (
        "".join(f'<c t="inlineStr"><is><t>{escape(cell, quote=False)}</t></is></c>' for cell in row)
        for row in rows
    )
    data = "".join(f"<row>{row}</row>" for row in cells)
    kinds = {
        "/xl/workbook.xml": f"{_TYPES}.spreadsheetml.sheet.main+xml",
        "/xl/worksheets/sheet1.xml": f"{_TYPES}.spreadsheetml.worksheet+xml",
    }
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Log" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEET}"><sheetData>{data}</sheetData>'
        "</worksheet>",
    }
    return _open_xml("xl/workbook.xml", kinds, parts)


def odt(title: str, paragraphs: Sequence[str]) -> bytes:
    text = "".join(f"<text:p>{escape(each, quote=False)}</text:p>" for each in paragraphs)
    content = (
        f'<office:document-content xmlns:office="{_OASIS}:office:1.0" '
        f'xmlns:text="{_OASIS}:text:1.0" office:version="1.2"><office:body><office:text>'
        f"<text:h>{escape(title, quote=False)}</text:h>{text}"
        "</office:text></office:body></office:document-content>"
    )
    entry = '<manifest:file-entry manifest:full-path="{}" manifest:media-type="{}"/>'
    manifest = (
        f'<manifest:manifest xmlns:manifest="{_OASIS}:manifest:1.0">'
        f"{entry.format('/', _ODT)}{entry.format('content.xml', 'text/xml')}"
        "</manifest:manifest>"
    )
    return _zip({"content.xml": content, "META-INF/manifest.xml": manifest}, first=_ODT)


def _open_xml(main: str, kinds: Mapping[str, str], parts: Mapping[str, str]) -> bytes:
    overrides = "".join(
        f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in kinds.items()
    )
    types = (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{overrides}</Types>"
    )
    root = _relation("officeDocument", main)
    return _zip({"[Content_Types].xml": types, "_rels/.rels": root, **parts})


def _relation(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/></Relationships>'
    )


def _zip(parts: Mapping[str, str], first: str | None = None) -> bytes:
    """`first` is the content of a member `mimetype`, which OpenDocument wants before all others."""
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        if first is not None:
            archive.writestr("mimetype", first, ZIP_STORED)
        for name, text in parts.items():
            archive.writestr(name, f"{_XML}{text}")
    return file.getvalue()
