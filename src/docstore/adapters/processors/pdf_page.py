from typing import Any, BinaryIO, Final

from docstore.adapters.processors.pdfium import opened
from docstore.adapters.processors.reading import Encrypted
from docstore.application.ports.processor import Findings, Kind, Limits, ProcessorOptions, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Notice
from docstore.domain.names import MediaType

PDF: Final = "application/pdf"
BOXES: Final = {"thumbnail": (256, 256), "preview": (1600, 1600)}
PART_OF_TIME: Final = 0.7  # of the processor's seconds; then it gives what it has drawn
MAX_TRIED: Final = 10
"""Pages that are looked at before a PDF whose first one cannot be loaded is taken for broken."""


class PdfPageProcessor:
    """Pictures of a PDF's first page."""

    name = "pdf-page"
    version = "1"
    yields = (Kind.RENDITIONS,)

    def __init__(self, options: ProcessorOptions = ProcessorOptions()) -> None:  # noqa: B008 # frozen
        self._options = options
        # The page may be one large picture: as much as for pictures.
        self._seconds = options.seconds / 2
        self.limits = Limits(seconds=self._seconds, memory=options.memory * 5 // 3)

    def preload(self) -> None:
        from PIL import Image

        from docstore.adapters.processors import page_drawing, renditions  # noqa: F401
        from docstore.adapters.processors.libraries import preload

        preload(self._options)
        Image.init()

    def accepts(self, media_type: MediaType) -> bool:
        return media_type == PDF

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        try:
            with opened(body.read()) as document:
                return self._findings(document)
        except Encrypted:  # whoever reads the text says so
            return Findings()

    def _findings(self, document: Any) -> Findings:
        from docstore.adapters.processors.page_drawing import drawn
        from docstore.adapters.processors.renditions import fitted

        document.init_forms()
        if not _loads(document, 0):
            return _without_a_first_page(document)
        seconds = PART_OF_TIME * self._seconds
        page, is_whole = drawn(document, 0, BOXES["preview"], seconds)
        warnings = () if is_whole else (_TOO_SLOW,)
        return Findings(pictures=fitted(page, BOXES), warnings=warnings)


_TOO_SLOW: Final = Notice(
    "partial", "the first page was drawn as far as there was time for (DOCSTORE_PROCESS_SECONDS)"
)
_NOT_DRAWN: Final = Notice("partial", "the first page could not be drawn")


def _without_a_first_page(document: Any) -> Findings:
    if any(_loads(document, number) for number in range(1, min(len(document), MAX_TRIED))):
        return Findings(warnings=[_NOT_DRAWN])
    raise ProcessingFailed(FailureCode.CORRUPT, "no page of it can be loaded")


def _loads(document: Any, number: int) -> bool:
    import pypdfium2

    try:
        document[number].close()
    except (pypdfium2.PdfiumError, IndexError):
        return False
    return True
