"""Formats that people could read in a plain editor: told apart by how they begin.

The extension decides only between kinds of text, and only where the content leaves it open.
"""

import codecs
import json
from collections.abc import Callable, Sequence
from typing import Final

from docstore.adapters.media_types.ends import Ends
from docstore.adapters.media_types.mail import is_mail, is_mailbox
from docstore.adapters.media_types.markup import markup_type

PLAIN: Final = "text/plain"
MAIL: Final = "message/rfc822"
NOTEBOOK: Final = "application/x-ipynb+json"

BEGINNING: Final = 16 * 1024  # characters that the rules look at
MAX_JSON: Final = 128 * 1024  # characters that are parsed to see whether they are JSON
TABLE_LINES: Final = 20
GLANCE: Final = 256  # bytes

_MARKS: Final = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# What no text holds: C0 controls but tab, line ends, form feed and escape; and DEL.
_CONTROLS: Final = bytes(c for c in (*range(32), 127) if c not in (9, 10, 12, 13, 27))
_BY_EXTENSION: Final = {
    "csv": "text/csv", "tsv": "text/tab-separated-values", "md": "text/markdown",
    "markdown": "text/markdown", "json": "application/json", "jsonl": "application/x-ndjson",
    "ndjson": "application/x-ndjson", "yaml": "application/yaml", "yml": "application/yaml",
    "css": "text/css", "js": "text/javascript", "py": "text/x-python", "rst": "text/x-rst",
    "tex": "text/x-tex", "ini": PLAIN, "log": PLAIN, "txt": PLAIN,
}  # fmt: skip
_BY_BEGINNING: Final = (
    ("BEGIN:VCALENDAR", "text/calendar"),
    ("BEGIN:VCARD", "text/vcard"),
    ("%!PS", "application/postscript"),
)


def unicode_text(ends: Ends) -> str | None:
    """The beginning of the text, or None when the file is none, or not in Unicode."""
    for mark, encoding in _MARKS:
        if ends.head.startswith(mark):
            text = codecs.getincrementaldecoder(encoding)("replace").decode(ends.head[2:])
            return (
                text
                if _is_clean(text.encode("utf-8", "replace")) and "\ufffd" not in text
                else None
            )
    if not (_is_clean(ends.head) and _is_clean(ends.tail)):
        return None
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(ends.head)
    except UnicodeDecodeError:
        return None


def legacy_text(ends: Ends) -> str | None:
    """The beginning of a text in an encoding from before Unicode, its ASCII at least."""
    if ends.head and _is_clean(ends.head) and _is_clean(ends.tail):
        return ends.head.decode("latin-1")
    return None


def text_type(text: str, ends: Ends) -> str:
    """The type of a file that begins with `text`."""
    begins = text[:BEGINNING].lstrip()
    rules: Sequence[Callable[[str, Ends], str | None]] = (
        _fixed,
        _markup,
        _json,
        _mail,
        _named,
        _table,
    )
    for rule in rules:
        if (kind := rule(text if rule is _json else begins, ends)) is not None:
            return kind
    return PLAIN


def _is_clean(data: bytes) -> bool:
    """What is no text mostly shows it at once."""
    return _has_none(data[:GLANCE]) and _has_none(data)


def _has_none(data: bytes) -> bool:
    return len(data.translate(None, _CONTROLS)) == len(data)


def _fixed(begins: str, _: Ends) -> str | None:
    return next((kind for mark, kind in _BY_BEGINNING if begins.startswith(mark)), None)


def _markup(begins: str, ends: Ends) -> str | None:
    return markup_type(begins, ends.extension)


def _json(text: str, ends: Ends) -> str | None:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    if not (_parses(text) if ends.is_whole and len(text) <= MAX_JSON else _is_cut_json(text, ends)):
        return None
    is_notebook = ends.holds(b'"nbformat"') and ends.holds(b'"cells"')
    return NOTEBOOK if is_notebook or ends.extension == "ipynb" else "application/json"


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_cut_json(text: str, ends: Ends) -> bool:
    """Only its ends are known: whether they could be those of one JSON value."""
    opening = "".join(text[:BEGINNING].split())[:2]
    closing = (ends.tail or ends.head).rstrip()[-1:]
    return opening in ('{"', "[{", '["', "[[", "[0", "[1", "[-") and closing in (b"}", b"]")


def _mail(begins: str, ends: Ends) -> str | None:
    if is_mailbox(begins) or (ends.extension == "mbox" and begins.startswith("From ")):
        return MAIL if ends.extension == "eml" else "application/mbox"
    return MAIL if ends.extension != "txt" and is_mail(begins) else None


def _named(_: str, ends: Ends) -> str | None:
    return _BY_EXTENSION.get(ends.extension)


def _table(begins: str, ends: Ends) -> str | None:
    """As many commas, or the like, in each of the first lines, and no line without."""
    lines = begins.splitlines()[:TABLE_LINES]
    if not ends.is_whole or len(begins) == BEGINNING:
        lines = lines[:-1]
    for mark, kind in ((",", "text/csv"), (";", "text/csv"), ("\t", "text/tab-separated-values")):
        counts = {line.count(mark) for line in lines}
        if len(lines) > 2 and len(counts) == 1 and counts != {0}:
            return kind
    return None
