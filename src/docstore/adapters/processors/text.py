from collections.abc import Mapping
from typing import BinaryIO, Final

from docstore.adapters.processors import document_reader
from docstore.adapters.processors.contents import Contents
from docstore.adapters.processors.document_facts import document_facts
from docstore.adapters.processors.reading import Encrypted
from docstore.adapters.processors.text_findings import text_findings
from docstore.application.ports.processor import Findings, Kind, ProcessorOptions, Subject
from docstore.domain.findings import Json, Notice
from docstore.domain.names import MediaType

_ENCRYPTED: Final = Notice("encrypted", "the file is encrypted, so its text could not be read")


class TextProcessor:
    """Text and document facts of whatever holds text. Of a PDF without any, what is recognised."""

    name = "text"
    version = "4"
    yields = (Kind.FACTS, Kind.TEXT)

    def __init__(self, options: ProcessorOptions = ProcessorOptions()) -> None:  # noqa: B008 # frozen
        self._options = options

    def preload(self) -> None:
        from docstore.adapters.processors.libraries import preload

        preload(self._options)

    def accepts(self, media_type: MediaType) -> bool:
        return document_reader.accepts(media_type)

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        contents = Contents(self._options, subject.size)
        try:
            reading = contents.read(body, subject)
        except Encrypted:
            facts: Mapping[str, Json] = {"text": None, "document": document_facts({})}
            return Findings(facts=facts, warnings=[_ENCRYPTED])
        facts = {"document": document_facts(reading.metadata)} if reading.metadata else {}
        return text_findings(reading.text, self._options, facts, contents.notices)
