"""FictionBook 2, whose whole text is in one XML file, pictures included."""

from typing import Final

from docstore.adapters.processors.reading import Reading
from docstore.adapters.processors.xml_text import xml_text
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode

_INLINE: Final = frozenset(
    {"a", "emphasis", "strong", "style", "strikethrough", "sub", "sup", "code"}
)
_NAME: Final = frozenset({"first-name", "middle-name", "last-name"})


def read(data: bytes) -> Reading:
    text = xml_text(data, without={"binary", "document-info"}, inline=_INLINE | _NAME)
    if not text:
        raise ProcessingFailed(FailureCode.CORRUPT, "no readable text in it")
    metadata = {
        "title": _told(data, "book-title"),
        "authors": _told(data, "author").split("\n"),
    }
    return Reading(text, metadata)


def _told(data: bytes, element: str) -> str:
    """What the title-info says."""
    elsewhere = {"binary", "body", "document-info", "publish-info", "src-title-info"}
    return xml_text(data, without=elsewhere, within={element}, inline=_NAME)
