from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final

from docstore.adapters.processors import containers, kreuzberg_reader, plain_text, zip_directory
from docstore.adapters.processors.document_facts import document_facts
from docstore.adapters.processors.kreuzberg_reader import Encrypted, Reading
from docstore.adapters.processors.prose import clean, cut, describe
from docstore.application.ports.processor import Findings, Limits, ProcessorOptions, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.findings import Json, Notice
from docstore.domain.names import MediaType

XML: Final = MediaType("application/xml")
MAIL: Final = MediaType("message/rfc822")

_WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SLIDES: Final = "application/vnd.openxmlformats-officedocument.presentationml"
_ODF: Final = "application/vnd.oasis.opendocument"
_EXCEL: Final = "application/vnd.ms-excel"

ZIPPED: Final = frozenset(
    {
        f"{_WORD}.document", f"{_WORD}.template",
        "application/vnd.ms-word.document.macroenabled.12",
        f"{_SHEET}.sheet", f"{_SHEET}.template", f"{_EXCEL}.sheet.macroenabled.12",
        f"{_EXCEL}.sheet.binary.macroenabled.12",
        f"{_SLIDES}.presentation", f"{_SLIDES}.slideshow", f"{_SLIDES}.template",
        "application/vnd.ms-powerpoint.presentation.macroenabled.12",
        f"{_ODF}.text", f"{_ODF}.spreadsheet", f"{_ODF}.presentation",
        "application/epub+zip",
    }
)  # fmt: skip
OPENDOCUMENT_AS_XML: Final = frozenset({f"{_ODF}.presentation"})
DOCUMENTS: Final = ZIPPED | {
    "application/pdf", "application/rtf", "application/msword", _EXCEL,
    "application/vnd.ms-powerpoint", "application/vnd.ms-outlook", "message/rfc822",
    "text/html", "application/xhtml+xml", "application/x-fictionbook+xml",
    "application/x-ipynb+json",
}  # fmt: skip
MARKUP: Final = frozenset({"application/xml", "text/xml", "image/svg+xml"})
MAILBOX: Final = "application/mbox"
PLAIN: Final = frozenset({"application/json", "application/x-ndjson", "application/yaml"})
"""Read as they are, as is every text/* that is not above."""

_ENCRYPTED_PACKAGE: Final = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] 2.3.4.4
_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = Notice("encrypted", "the file is encrypted, so its text could not be read")


class TextProcessor:
    """Text and document facts of whatever holds text. Never recognises text in pictures."""

    name = "text"
    version = "1"

    def __init__(self, options: ProcessorOptions = ProcessorOptions()) -> None:  # noqa: B008 # frozen
        self._max_characters = options.max_text_characters
        self.limits = Limits(seconds=options.seconds, memory=options.memory)

    def preload(self) -> None:
        import charset_normalizer  # noqa: F401
        import kreuzberg  # noqa: F401

    def accepts(self, media_type: MediaType) -> bool:
        return (
            media_type.startswith("text/")
            or media_type == MAILBOX
            or media_type in DOCUMENTS | MARKUP | PLAIN
        )

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        try:
            reading, warnings = self._read(body, subject.media_type)
        except Encrypted:
            facts: Mapping[str, Json] = {"text": None, "document": document_facts({})}
            return Findings(facts=facts, warnings=[_ENCRYPTED])
        return self._findings(reading, warnings)

    def _read(self, body: BinaryIO, media_type: MediaType) -> tuple[Reading, list[Notice]]:
        if media_type in DOCUMENTS | MARKUP or media_type == MAILBOX:
            return _read_document(body.read(), media_type)
        most = 4 * self._max_characters + 4  # no encoding takes more bytes for a character
        data = body.read(most)
        return Reading(plain_text.decode(data)), []

    def _findings(self, reading: Reading, warnings: Sequence[Notice]) -> Findings:
        text, cuts = cut(clean(reading.text), self._max_characters)
        if not text.strip():
            text = ""
        language = kreuzberg_reader.language(text) if text else None
        facts: dict[str, Json] = {"text": describe(text, language) if text else None}
        if reading.metadata:
            facts["document"] = document_facts(reading.metadata)
        return Findings(facts=facts, text=text or None, warnings=[*warnings, *cuts])


def _read_document(data: bytes, media_type: MediaType) -> tuple[Reading, list[Notice]]:
    if media_type in ZIPPED:
        if data.startswith(_COMPOUND) and _ENCRYPTED_PACKAGE in data:
            raise Encrypted("an encrypted package")
        zip_directory.check(data)
    if media_type in OPENDOCUMENT_AS_XML:
        data, media_type = containers.opendocument_content(data), XML
    if media_type in MARKUP:
        media_type = XML
    if media_type == MAILBOX:
        return _read_mailbox(data)
    return kreuzberg_reader.read(data, media_type), []


def _read_mailbox(data: bytes) -> tuple[Reading, list[Notice]]:
    texts: list[str] = []
    unread = 0
    for message in containers.messages(data):
        try:
            texts.append(kreuzberg_reader.read(message, MAIL).text)
        except (Encrypted, ProcessingFailed):
            unread += 1
    metadata: Mapping[str, Any] = {"page_count": len(texts)}
    notice = Notice("partial", f"{unread} messages of the mailbox could not be read")
    return Reading("\n\n".join(texts), metadata), [notice] if unread else []
