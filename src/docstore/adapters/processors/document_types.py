"""Which media types are which kind of document."""

from typing import Final

_WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SLIDES: Final = "application/vnd.openxmlformats-officedocument.presentationml"
_ODF: Final = "application/vnd.oasis.opendocument"

EXCEL: Final = "application/vnd.ms-excel"
EPUB: Final = "application/epub+zip"
FICTION_BOOK: Final = "application/x-fictionbook+xml"
MAIL: Final = "message/rfc822"
MAILBOX: Final = "application/mbox"
NOTEBOOK: Final = "application/x-ipynb+json"
OUTLOOK: Final = "application/vnd.ms-outlook"
PDF: Final = "application/pdf"
RTF: Final = "application/rtf"

OOXML: Final = frozenset(
    {
        f"{_WORD}.document", f"{_WORD}.template",
        "application/vnd.ms-word.document.macroenabled.12",
        f"{_SHEET}.sheet", f"{_SHEET}.template", f"{EXCEL}.sheet.macroenabled.12",
        f"{EXCEL}.sheet.binary.macroenabled.12",
        f"{_SLIDES}.presentation", f"{_SLIDES}.slideshow", f"{_SLIDES}.template",
        "application/vnd.ms-powerpoint.presentation.macroenabled.12",
    }
)  # fmt: skip
OPENDOCUMENT: Final = frozenset({f"{_ODF}.text", f"{_ODF}.spreadsheet", f"{_ODF}.presentation"})
OPENDOCUMENT_AS_XML: Final = frozenset({f"{_ODF}.presentation"})
SHEETS: Final = frozenset(
    {
        f"{_SHEET}.sheet", f"{_SHEET}.template", f"{EXCEL}.sheet.macroenabled.12",
        f"{_ODF}.spreadsheet",
    }
)  # fmt: skip
"""Spreadsheets in XML."""
ZIPPED: Final = OOXML | OPENDOCUMENT | {EPUB}
COMPOUND: Final = frozenset({"application/msword", EXCEL, "application/vnd.ms-powerpoint"})
HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
MARKUP: Final = frozenset({"application/xml", "text/xml", "image/svg+xml"})

DOCUMENTS: Final = (
    ZIPPED | COMPOUND | HTML | MARKUP | {PDF, RTF, FICTION_BOOK, NOTEBOOK, MAIL, MAILBOX, OUTLOOK}
)
PLAIN: Final = frozenset({"application/json", "application/x-ndjson", "application/yaml"})
"""Read as they are, as is every text/* that is not above."""
