"""Small files of every kind that an attacker likes."""

import struct
import zlib
from typing import Final


def png(width: int, height: int, *, depth: int = 1, colour: int = 0, data: bytes = b"") -> bytes:
    """A PNG that claims to be so large; `data` are its filtered rows."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + rows + chunk(b"IEND", b"")


PNG: Final = png(1, 1, depth=8, data=b"\0\0")
PDF: Final = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
EXE: Final = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + b"\x00" * 48
HTML: Final = b"<!doctype html><html><script>alert(1)</script></html>"
SVG: Final = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
)
XHTML: Final = b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>'
XML: Final = b'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="evil.xsl"?><a/>'
PDF_WITH_SCRIPT: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
GIF_WITH_SCRIPT: Final = b"GIF89a/*\x00\x00\x00\x00\x00\x00*/=alert(1);//" + b"\x00" * 16
ACTIVE: Final = {
    "a.html": HTML, "a.svg": SVG, "a.xhtml": XHTML, "a.xml": XML, "a.pdf": PDF_WITH_SCRIPT,
    "a.gif": GIF_WITH_SCRIPT,
}  # fmt: skip
"""By a name that goes with it."""
