from typing import BinaryIO

from docstore.adapters.processors import archive_reader
from docstore.adapters.processors.contents import Contents
from docstore.adapters.processors.text_findings import text_findings
from docstore.application.ports.processor import Findings, Kind, ProcessorOptions, Subject
from docstore.domain.names import MediaType


class ArchiveProcessor:
    """Lists archives, and reads what lies in them as if it had been uploaded by itself."""

    name = "archive"
    version = "1"
    yields = (Kind.FACTS, Kind.TEXT)

    def __init__(self, options: ProcessorOptions = ProcessorOptions()) -> None:  # noqa: B008 # frozen
        self._options = options

    def preload(self) -> None:
        from docstore.adapters.processors.libraries import preload

        preload(self._options)

    def accepts(self, media_type: MediaType) -> bool:
        return archive_reader.accepts(media_type)

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        contents = Contents(self._options, subject.size)
        reading = contents.read(body, subject)
        facts = {"archive": reading.archive}
        return text_findings(reading.text, self._options, facts, contents.notices)
