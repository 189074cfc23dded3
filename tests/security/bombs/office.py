"""Office documents and XML that harm their readers."""

from collections.abc import Iterator, Mapping
from typing import Final

from security.bombs.archives import heavy, lying, zipped

_CONTENT: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES: Final = f'<Types xmlns="{_CONTENT}"/>'

LAUGHS: Final = '<!DOCTYPE a [<!ENTITY a0 "ha">' + "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
) + "]>"  # fmt: skip
"""Ten of ten of ten …, ten times over: "billion laughs"."""


def fetching(address: str) -> str:
    """A declaration whose entity `x` is what lies at an address."""
    return f'<!DOCTYPE a [<!ENTITY x SYSTEM "{address}">]>'


def document(said: str, declared: str = "") -> str:
    return (
        f'<?xml version="1.0"?>{declared}<w:document xmlns:w="{_WORD}"><w:body><w:p><w:r>'
        f"<w:t>{said}</w:t></w:r></w:p></w:body></w:document>"
    )


def docx(said: str, declared: str = "") -> bytes:
    return zipped({"[Content_Types].xml": _TYPES, "word/document.xml": document(said, declared)})


def heavy_docx(mebibytes: int, *, honest: bool = True) -> bytes:
    """One element of text, or what looks like it."""
    whole = heavy("word/document.xml", mebibytes, {"[Content_Types].xml": _TYPES})
    return whole if honest else lying(whole, "word/document.xml", 1000)


def deep_docx(depth: int) -> bytes:
    return docx("<w:t>" * depth + "deep" + "</w:t>" * depth)


def xlsx(rows: str, declared: str = "") -> bytes:
    """A sheet of those rows, as XML."""
    return zipped(_workbook(f'<?xml version="1.0"?>{declared}{_sheet(rows)}'))


def far_cell() -> bytes:
    """Two cells, in opposite corners of the largest sheet there is (18.3.1.73)."""
    return xlsx(
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>7</v></c></row>'
    )


def full_sheet(rows: int, columns: int) -> bytes:
    return xlsx("".join(_rows(rows, columns)))


def deep_xml(depth: int) -> bytes:
    return b"<a>" * depth + b"deep" + b"</a>" * depth


def svg(address: str, declared: str, said: str) -> bytes:
    """It wants something from that address, in three ways."""
    return (
        f'<?xml version="1.0"?>{declared}<svg xmlns="http://www.w3.org/2000/svg"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink" width="99" height="99">'
        f"<script>fetch('{address}')</script>"
        f'<use xlink:href="{address}/a.svg#b"/><image href="{address}/a.png"/>'
        f"<text>{said}</text></svg>"
    ).encode()


def _workbook(sheet: str) -> Mapping[str, str]:
    def related(name: str, target: str) -> str:
        return (
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r" Type="{_OFFICE}/{name}"'
            f' Target="{target}"/></Relationships>'
        )

    return {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": related("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
            '<sheet name="S" sheetId="1" r:id="r"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": related("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": sheet,
    }


def _sheet(rows: str) -> str:
    return f'<worksheet xmlns="{_SHEET}"><sheetData>{rows}</sheetData></worksheet>'


def _rows(rows: int, columns: int) -> Iterator[str]:
    for row in range(1, rows + 1):
        cells = (f"<c><v>{row * column}</v></c>" for column in range(columns))
        yield f"<row r='{row}'>{''.join(cells)}</row>"
