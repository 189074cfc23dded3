"""Spreadsheets of many cells, read as a stream."""

import io
from collections.abc import Sequence

import pytest

from docstore.adapters.processors import large_sheets
from docstore.adapters.processors.text import TextProcessor
from docstore.application.ports.processor import Findings, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import FileName, MediaType
from security.bombs import office
from unit.adapters.archives import options, zipped

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def extract(data: bytes, kind: str = XLSX, **more: int) -> Findings:
    subject = Subject(name=FileName("file"), media_type=MediaType(kind), size=len(data))
    return TextProcessor(options(**more)).extract(io.BytesIO(data), subject)


def words(findings: Findings) -> Sequence[str]:
    return (findings.text or "").split()


def xlsx(*sheets: str, shared: str = "") -> bytes:
    names = "".join(f'<sheet name="Sheet {n}" sheetId="{n}"/>' for n, _ in enumerate(sheets))
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}"><sheets>{names}</sheets></workbook>',
        **{f"xl/worksheets/sheet{n}.xml": sheet for n, sheet in enumerate(sheets)},
        **({"xl/sharedStrings.xml": shared} if shared else {}),
    }
    return zipped(parts)


def sheet(*rows: Sequence[str]) -> str:
    lines = ("".join(["<row>", *row, "</row>"]) for row in rows)
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def number(value: object) -> str:
    return f"<c><v>{value}</v></c>"


def warned(findings: Findings) -> Sequence[str]:
    return [notice.message for notice in findings.warnings]


def test_so_many_cells_and_no_more() -> None:
    found = extract(xlsx(sheet([number(n) for n in range(9)])), max_cells=5)
    assert not {"5", "8"} & set(words(found))
    [message] = warned(found)
    assert message == "only the first 5 cells were read (DOCSTORE_MAX_CELLS)"


def test_cells_of_all_sheets_count_together() -> None:
    two = xlsx(sheet([number("one"), number("two")]), sheet([number("three")], [number("four")]))
    found = extract(two, max_cells=3)
    assert "three" in words(found)
    assert "four" not in words(found)
    assert "Sheet" in words(found)
    assert found.facts["document"]["sheets"] == ["Sheet 0", "Sheet 1"]  # type: ignore[index, call-overload]


def test_exactly_as_many_are_left_to_the_library() -> None:
    five = "".join(f"<c r='{column}1'><v>5</v></c>" for column in "ABCDE")
    assert not extract(office.xlsx(f"<row r='1'>{five}</row>"), max_cells=5).warnings
    assert extract(office.xlsx(f"<row r='1'>{five}</row>"), max_cells=4).warnings


def test_texts_are_looked_up_where_they_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_sheets, "LARGE", 0)
    cells = [
        *(f'<c t="s"><v>{n}</v></c>' for n in (1, 99, "x")),
        '<c t="inlineStr"><is><t>in</t><t>line</t></is></c>',
        "<c><f>SUM(A1)</f><v>7</v></c>",
    ]
    shared = (
        f'<sst xmlns="{MAIN}"><si><t>no</t></si><si><r><t>sha</t></r><r><t>red</t></r></si></sst>'
    )
    found = extract(xlsx(sheet(cells), shared=shared))
    assert words(found)[:3] == ["shared", "inline", "7"]
    assert not found.warnings


def test_a_sheet_that_breaks_off_gives_what_comes_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_sheets, "LARGE", 0)
    whole = sheet([number("before")], [number("after")])
    found = extract(xlsx(whole[: whole.index("after")]))
    assert "before" in words(found)
    assert warned(found) == ["xl/worksheets/sheet0.xml is broken after some cells"]


def test_a_sheet_that_declares_entities_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_sheets, "LARGE", 0)
    declared = '<!DOCTYPE a [<!ENTITY x "secret">]>'
    found = extract(xlsx(declared + sheet([number("&x;")])))
    assert "secret" not in words(found)
    assert len(found.warnings) == 1


def test_cells_of_opendocument() -> None:
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    table = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
    text = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
    cells = "".join(
        f"<table:table-cell><text:p>{each}</text:p><text:p>more</text:p></table:table-cell>"
        for each in ("one", "two")
    )
    content = (
        f'<office:document-content xmlns:office="{office}" xmlns:table="{table}"'
        f' xmlns:text="{text}"><office:body><office:spreadsheet><table:table table:name="S">'
        f"<table:table-row>{cells}</table:table-row></table:table></office:spreadsheet>"
        "</office:body></office:document-content>"
    )
    data = zipped({"mimetype": ODS, "content.xml": content, "META-INF/manifest.xml": "<a/>"})
    assert {"one", "two"} <= set(words(extract(data, ODS)))
    found = extract(data, ODS, max_cells=1)
    assert words(found) == ["one", "more"]
    assert "DOCSTORE_MAX_CELLS" in warned(found)[0]


@pytest.mark.parametrize("part", ["word/document.xml", "xl/workbook.xml", "ppt/presentation.xml"])
def test_a_document_without_text_whose_main_part_is_broken_is_corrupt(part: str) -> None:
    kinds = {"word": "wordprocessingml.document", "xl": "spreadsheetml.sheet",
             "ppt": "presentationml.presentation"}  # fmt: skip
    kind = "application/vnd.openxmlformats-officedocument." + kinds[part.partition("/")[0]]
    data = zipped({"[Content_Types].xml": "<Types/>", part: "<a><b></a>"})
    with pytest.raises(ProcessingFailed) as caught:
        extract(data, kind)
    assert caught.value.failure is FailureCode.CORRUPT
