"""What stands beside the cells of Excel 97 to 2003: headers and footers of pages, comments, text
boxes (the records Header, Footer and TxO of [MS-XLS] 2.4).
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from docstore.adapters.processors import compound
from docstore.adapters.processors.reading import Members

MAX_TEXTS: Final = 10_000

_HEADER, _FOOTER, _ENCRYPTED, _CONTINUED, _TEXT_OBJECT = 0x14, 0x15, 0x2F, 0x3C, 0x1B6
_STREAM: Final = ("Workbook",)
_FIELD: Final = re.compile(r'&(?:[LCRPNDTAFZGSXYEUBIOH&]|"[^"&]{0,256}"|K\w{6}|\d{1,3})')
"""Places, dates, fonts and sizes in a header; what `oddHeader` of ECMA-376 has, too."""


def more(data: bytes, members: Members) -> Iterator[str]:
    """Embedded objects, then those texts."""
    yield from compound.objects(data, members)
    with compound.opened(data) as file:
        if not file.exists(_STREAM):
            return
        with file.openstream(_STREAM) as stream:
            yield from islice(_texts(members.hold(stream) or b""), MAX_TEXTS)


def _texts(stream: bytes) -> Iterator[str]:
    wanted = 0  # characters that a text object still lacks
    for kind, body in _records(stream):
        if kind == _ENCRYPTED:
            return
        if kind == _CONTINUED and wanted and body:
            text = _characters(body)[:wanted]
            yield text
            wanted -= len(text)
        else:
            wanted = int.from_bytes(body[10:12], "little") if kind == _TEXT_OBJECT else 0
            if kind in (_HEADER, _FOOTER) and len(body) > 2:
                yield _FIELD.sub(" ", _characters(body[2:]))


def _records(stream: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(stream):
        kind, size = (int.from_bytes(stream[n : n + 2], "little") for n in (at, at + 2))
        yield kind, stream[at + 4 : at + 4 + size]
        at += 4 + size


def _characters(body: bytes) -> str:
    """They stand behind a byte that says whether each takes two bytes or one."""
    return body[1:].decode("utf-16-le" if body[0] & 1 else "latin-1", "replace")
