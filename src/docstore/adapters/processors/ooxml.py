"""What lies in .docx, .xlsx and .pptx beside the text that the library gives: embedded documents,
comments, notes, headers, text boxes, addresses of links, names of pictures (ECMA-376).
"""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from docstore.adapters.processors import compound
from docstore.adapters.processors.reading import Members
from docstore.adapters.processors.xml_text import is_whole, xml_attributes, xml_text
from docstore.adapters.processors.zip_members import part
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode

MAX_LINKS: Final = 10_000

_PROSE: Final = re.compile(
    r"(word/(comments|footnotes|endnotes|header\d*|footer\d*|glossary/document)"
    r"|ppt/(notesSlides|comments|diagrams)/\w+|ppt/slides/\w+"
    r"|xl/(threadedComments|drawings)/\w+|xl/comments\w*)\.xml"
)
_EMBEDDED: Final = re.compile(r"(word|ppt|xl)/embeddings/[^/]+")
_PICTURE: Final = re.compile(r"(word|ppt|xl)/media/[^/]+")
_RELATIONSHIPS: Final = re.compile(r"(word|ppt/slides|xl/worksheets|xl/drawings)/_rels/[^/]+\.rels")
_MAIN: Final = frozenset({"word/document.xml", "xl/workbook.xml", "ppt/presentation.xml"})
_INLINE: Final = frozenset({"r", "t", "rPr", "lastRenderedPageBreak", "proofErr", "sz", "latin"})
_FIELDS: Final = frozenset({"instrText", "delText", "fldSimple", "posOffset", "attrName"})
_PLACES: Final = frozenset({"col", "colOff", "row", "rowOff"})  # of a picture in a sheet


def more(data: bytes, members: Members) -> Iterator[str]:
    """Pieces of text. Raises nothing for what is broken: the document has been read before."""
    with zipfile.ZipFile(BytesIO(data)) as file:
        for name in file.namelist():
            yield from _of_part(file, name, members)


def check(data: bytes, members: Members) -> None:
    """Of a document in which no text was found: the library says nothing of a broken part.

    Raises ProcessingFailed when the main one is not well-formed, or declares entities.
    """
    with zipfile.ZipFile(BytesIO(data)) as file:
        for name in _MAIN.intersection(file.namelist()):
            if not is_whole(part(file, name, members)):
                raise ProcessingFailed(FailureCode.CORRUPT, f"{name} in it cannot be read")


def _of_part(file: zipfile.ZipFile, name: str, members: Members) -> Iterator[str]:
    last = name.rpartition("/")[2]
    if _PROSE.fullmatch(name):
        yield xml_text(part(file, name, members), without=_FIELDS | _PLACES, inline=_INLINE)
    elif name == "ppt/commentAuthors.xml":
        yield from _values(part(file, name, members), "cmAuthor", "name", "initials")
    elif _EMBEDDED.fullmatch(name):
        yield from compound.embedded(last, part(file, name, members), members)
    elif _PICTURE.fullmatch(name):
        yield last
    elif _RELATIONSHIPS.fullmatch(name):
        yield from _related(file, name, members)


def _values(xml: bytes, element: str, *names: str) -> Iterator[str]:
    for attributes in xml_attributes(xml, element):
        yield " ".join(attributes.get(name, "") for name in names)


def _related(file: zipfile.ZipFile, name: str, members: Members) -> Iterator[str]:
    """Where links lead, and documents that are taken in as they are (17.17.2.1, altChunk)."""
    for each in xml_attributes(part(file, name, members), "Relationship")[:MAX_LINKS]:
        kind, target = each.get("Type", ""), each.get("Target", "")
        if kind.endswith("/hyperlink"):
            yield target
        elif kind.endswith("/aFChunk"):
            folder = name.partition("_rels/")[0]
            path = target.removeprefix("/") if target.startswith("/") else folder + target
            yield members.text(path.rpartition("/")[2], part(file, path, members))
