"""Any file, and any file within it, read by whatever reads its type."""

from io import BytesIO
from typing import BinaryIO, Final

from docstore.adapters.processors import archive_reader, document_reader
from docstore.adapters.processors.budget import Budget
from docstore.adapters.processors.reading import Encrypted, Reading
from docstore.adapters.processors.references import named
from docstore.application.ports.media_types import Sample, TypeSniffer
from docstore.application.ports.processor import ProcessorOptions, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import MAX_NAME, FileName

GLANCE: Final = 64 * 1024  # bytes of each end that tell a member's type


class Contents(Budget):
    """Made anew for each upload."""

    def __init__(self, options: ProcessorOptions, packed: int) -> None:
        super().__init__(options, packed)
        self._left = options.max_text_characters
        self._sniffer: TypeSniffer | None = named(options.sniffer)() if options.sniffer else None

    def read(self, body: BinaryIO, subject: Subject) -> Reading:
        """Raises Encrypted, or ProcessingFailed when it cannot be read or is a bomb."""
        if archive_reader.accepts(subject.media_type):
            return archive_reader.read(body, subject, self)
        return document_reader.read(body, subject, self)

    def text(self, name: str, data: bytes) -> str:
        with self.deeper() as allowed:
            text = self._member(name, data) if allowed and self._left > 0 else ""
        self._left -= len(text)
        return "\n".join(filter(None, (name, text)))

    def _member(self, name: str, data: bytes) -> str:
        subject = self._subject(name, data)
        if subject is None or not data:
            return ""
        try:
            return self.read(BytesIO(data), subject).text
        except Encrypted:
            self.warn("encrypted", f"some members take a password to read, such as {name!r}")
        except MemoryError:
            raise
        except Exception as error:  # one bad member spoils no archive
            if isinstance(error, ProcessingFailed) and error.failure is not FailureCode.CORRUPT:
                raise
            self.warn("partial", f"some members could not be read, such as {name!r}")
        return ""

    def _subject(self, name: str, data: bytes) -> Subject | None:
        """None when it is of no type that is read."""
        if self._sniffer is None:
            return None
        last = FileName(name.replace("\\", "/").rpartition("/")[2][-MAX_NAME:])
        head, tail = data[:GLANCE], data[GLANCE:][-GLANCE:]
        kind = self._sniffer.sniff(Sample(head=head, tail=tail, size=len(data), name=last))
        if not (archive_reader.accepts(kind) or document_reader.accepts(kind)):
            return None
        return Subject(name=last, media_type=kind, size=len(data))
