"""Spreadsheets of so many cells that the library would need more memory than a parser has.

Numbers are told as they stand in the file, dates too: what a cell's format makes of them is left
out.
"""

import re
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, BinaryIO, Final, cast

from docstore.adapters.processors.broken import Broken, brokenness
from docstore.adapters.processors.reading import Exhausted, Members, Reading
from docstore.adapters.processors.sheet_stream import PIECE, Handlers, Rows, Strings, feed
from docstore.adapters.processors.xml_text import xml_attributes
from docstore.adapters.processors.zip_members import part

LARGE: Final = 200_000  # cells that are left to the library, which takes 400 bytes for each

_CONTENT: Final = "content.xml"
_SHEET: Final = re.compile(rf"xl/worksheets/[^/]+\.xml|{re.escape(_CONTENT)}")
_SHARED: Final = "xl/sharedStrings.xml"
_OPENINGS: Final = (b"<c ", b"<c>", b":c ", b":c>", b":table-cell ", b":table-cell>")


def beginning(data: bytes, members: Members) -> Reading | None:
    """The first cells of a spreadsheet that has many; None when it has not."""
    try:
        with brokenness(), zipfile.ZipFile(BytesIO(data)) as file:
            sheets = [each for each in file.infolist() if _SHEET.fullmatch(each.filename)]
            found = _count(file, sheets)
            if found <= min(members.options.max_cells, LARGE):
                return None
            text, names = _text(file, sheets, found, members), _names(file, members)
            # In OpenDocument, what else there is to read lies among the cells.
            return Reading(text, names, is_all=_CONTENT in file.namelist())
    except Broken:
        return None  # the library says it better


def _count(file: zipfile.ZipFile, sheets: Sequence[zipfile.ZipInfo]) -> int:
    """How many cells begin in them. That does not count as unpacked: it is unpacked again."""
    found = 0
    for sheet in sheets:
        with file.open(sheet) as stream:
            while piece := stream.read(PIECE):
                found += sum(map(piece.count, _OPENINGS))
    return found


def _text(
    file: zipfile.ZipFile, sheets: Sequence[zipfile.ZipInfo], found: int, members: Members
) -> str:
    most, room = members.options.max_cells, members.options.max_text_characters
    if found > most:
        members.warn("truncated", f"only the first {most} cells were read (DOCSTORE_MAX_CELLS)")
    strings = Strings(4 * room)
    if _SHARED in file.namelist():
        _feed(strings, file, file.getinfo(_SHARED), members)
    rows = Rows(most, room, strings.found)
    for sheet in sheets:
        _feed(rows, file, sheet, members)
    return rows.text


def _names(file: zipfile.ZipFile, members: Members) -> Mapping[str, Any]:
    """Metadata, as the library tells them."""
    sheets = xml_attributes(part(file, "xl/workbook.xml", members), "sheet")
    return {"sheet_names": [each.get("name", "") for each in sheets]}


def _feed(
    handlers: Handlers, file: zipfile.ZipFile, info: zipfile.ZipInfo, members: Members
) -> None:
    try:
        with file.open(info) as stream:
            whole = feed(handlers, members.metered(cast(BinaryIO, stream)))
    except Exhausted:
        return
    if not whole:
        members.warn("partial", f"{info.filename} is broken after some cells")
