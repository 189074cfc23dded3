"""Pages in the encoding that they declare, or that they seem to be in."""

import codecs
import re
from typing import Final

from docstore.adapters.processors.plain_text import decode

DECLARED_WITHIN: Final = 4096  # bytes; browsers look at 1024, but do see later ones at a reload

_CHARSET: Final = re.compile(rb"<meta[^<>]{0,512}?charset\s{0,8}=[\s\"']{0,8}([\w:.-]{1,40})", re.I)
# What the WHATWG encoding standard reads by other names than Python does.
_AS: Final = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030",
    "gbk": "gb18030", "shift_jis": "cp932", "tis-620": "cp874",
}  # fmt: skip


def as_utf8(data: bytes) -> bytes:
    """The page as the library for documents takes it."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        declared = _declared(data)
        text = data.decode(declared, "replace") if declared else decode(data)
        return text.encode("utf-8", "replace")
    return data


def _declared(data: bytes) -> str | None:
    found = _CHARSET.search(data[:DECLARED_WITHIN])
    if not found:
        return None
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
        b"".decode(name)  # raises for codecs that are no encodings of text
    except (LookupError, UnicodeDecodeError):
        return None
    return None if name.startswith(("utf-8", "utf-16")) else _AS.get(name, name)
