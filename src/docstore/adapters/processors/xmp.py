"""What people say about a picture or a document in XMP (ISO 16684-1)."""

from collections.abc import Sequence
from typing import Final

from docstore.adapters.processors.xml_text import xml_text

MAX_PACKET: Final = 1024**2  # bytes
_SAID: Final = frozenset(
    {"title", "description", "creator", "subject", "rights", "Headline", "Credit", "Source",
     "City", "State", "Country", "Location", "UserComment", "Keywords", "Title", "Author"}
)  # fmt: skip
_START, _END = b"<x:xmpmeta", b"</x:xmpmeta>"


def xmp_text(packet: bytes) -> str:
    """The words of one packet."""
    return xml_text(packet[:MAX_PACKET], within=_SAID)


def packets(data: bytes, most: int = 16) -> Sequence[bytes]:
    """The packets that stand in a file as they are, as ISO 32000 wants them to."""
    found: list[bytes] = []
    at = data.find(_START)
    while at >= 0 and len(found) < most:
        end = data.find(_END, at)
        if end < 0:
            break
        found.append(data[at : end + len(_END)])
        at = data.find(_START, end)
    return found
