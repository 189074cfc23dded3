"""XML of any kind: the words between its tags."""

from typing import Final

from docstore.adapters.processors import kreuzberg_reader
from docstore.adapters.processors.reading import Reading
from docstore.adapters.processors.xml_text import xml_text
from docstore.domain.names import MediaType

XML: Final = MediaType("application/xml")


def read(data: bytes) -> Reading:
    """The library reads what declares entities, or is in an encoding that Expat does not know."""
    text = xml_text(data, without={"script"})
    return Reading(text) if text else kreuzberg_reader.read(data, XML)
