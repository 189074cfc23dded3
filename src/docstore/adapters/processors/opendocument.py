"""What lies in OpenDocument files beside the text that the library gives: headers and footers,
embedded objects, names of pictures.
"""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from docstore.adapters.processors import zip_directory
from docstore.adapters.processors.reading import Members, Reading
from docstore.adapters.processors.xml_text import xml_text
from docstore.adapters.processors.zip_members import part
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode

_OBJECT: Final = re.compile(r"Object \d+/content\.xml")
_PICTURE: Final = re.compile(r"Pictures/([^/]+)")
_STYLES: Final = frozenset({"automatic-styles", "font-face-decls", "scripts", "styles"})
_INLINE: Final = frozenset({"span", "s", "a", "tab", "bookmark", "bookmark-start", "bookmark-end"})


def read(data: bytes, members: Members) -> Reading:
    """For kinds that the library does not know."""
    with zip_directory.opened(
        BytesIO(data), len(data), members.options.max_archive_entries
    ) as file:
        if "content.xml" not in file.namelist():
            raise ProcessingFailed(FailureCode.CORRUPT, "no content.xml in it")
        return Reading(
            xml_text(part(file, "content.xml", members), without=_STYLES, inline=_INLINE)
        )


def more(data: bytes, members: Members) -> Iterator[str]:
    with zipfile.ZipFile(BytesIO(data)) as file:
        for name in file.namelist():
            if name == "styles.xml":
                xml = part(file, name, members)
                yield xml_text(xml, within={"master-styles"}, inline=_INLINE)
            elif name == "content.xml" or _OBJECT.fullmatch(name):
                yield xml_text(part(file, name, members), without=_STYLES, inline=_INLINE)
            elif picture := _PICTURE.fullmatch(name):
                yield picture[1]
