"""What lies in an EPUB beside its chapters: tables of contents, metadata, names of pictures."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from docstore.adapters.processors.reading import Members
from docstore.adapters.processors.xml_text import xml_text
from docstore.adapters.processors.zip_members import part

_INLINE: Final = frozenset(
    {"a", "abbr", "b", "cite", "code", "em", "i", "q", "rt", "ruby", "small", "span", "strong",
     "sub", "sup", "u"}
)  # fmt: skip
_SAID: Final = frozenset({"title", "creator", "subject", "description", "publisher"})
_PAGES: Final = (".xhtml", ".html", ".htm")
_PICTURES: Final = (".png", ".jpg", ".jpeg", ".gif", ".svg")


def more(data: bytes, members: Members) -> Iterator[str]:
    with zipfile.ZipFile(BytesIO(data)) as file:
        for name in file.namelist():
            kind = name.lower()
            if kind.endswith(".opf"):
                yield xml_text(part(file, name, members), within=_SAID)
            elif kind.endswith(".ncx"):
                yield xml_text(part(file, name, members), without={"head"})
            elif kind.endswith(_PAGES):
                xml = part(file, name, members)
                yield xml_text(xml, without={"script", "style"}, inline=_INLINE)
            elif kind.endswith(_PICTURES):
                yield name.rpartition("/")[2]
