from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol, runtime_checkable

from docstore.domain.confinement import Confinement
from docstore.domain.file import File
from docstore.domain.findings import Json, Notice
from docstore.domain.names import FileName, MediaType


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a processor is told of the file, beside its bytes."""

    name: FileName
    media_type: MediaType
    size: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A rendition as it comes out of a processor."""

    name: str
    media_type: MediaType
    width: int  # pixels
    height: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one processor found. `facts` become keys of HTTP's `extracted`, such as `image`."""

    facts: Mapping[str, Json] = field(default_factory=dict)
    text: str | None = None
    pictures: Sequence[Picture] = ()
    warnings: Sequence[Notice] = ()
    media_type: MediaType | None = None  # a better answer than the signature's


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a processor may use up before it is killed."""

    seconds: float = 60.0  # by the wall clock; the same in CPU time
    memory: int = 384 * 1024**2  # bytes resident


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorOptions:
    """What the operator decides for all processors; each takes from it what concerns it.

    Plain values alone: they travel to another process. Next to each stands its setting, which
    messages to an owner name.
    """

    seconds: float = 60.0  # DOCSTORE_PROCESS_SECONDS, for one processor and one file
    memory: int = 384 * 1024**2  # DOCSTORE_PROCESS_MEMORY, bytes resident
    max_text_characters: int = 5 * 1024**2  # DOCSTORE_MAX_TEXT_CHARACTERS
    max_pixels: int = 64_000_000  # DOCSTORE_MAX_PIXELS, of a picture that is decoded
    max_pages: int = 2000  # DOCSTORE_MAX_PAGES, of a PDF
    max_cells: int = 1_000_000  # DOCSTORE_MAX_CELLS, of a spreadsheet
    max_archive_entries: int = 10_000  # DOCSTORE_MAX_ARCHIVE_ENTRIES, of all archives in a file
    max_unpacked_bytes: int = 512 * 1024**2  # DOCSTORE_MAX_UNPACKED_BYTES, of them together
    max_archive_depth: int = 3  # DOCSTORE_MAX_ARCHIVE_DEPTH, of files in files that are read
    ocr_languages: str = ""  # DOCSTORE_OCR, such as deu+eng; "": no text is recognised
    ocr_data: str = ""  # DOCSTORE_OCR_DATA, folder of *.traineddata; "": the usual ones
    image_box: tuple[int, int] = (1024, 1024)  # DOCSTORE_IMAGE_RESIZE, pixels
    max_result_bytes: int = 32 * 1024**2  # DOCSTORE_MAX_RESULT_BYTES, of one processor's findings
    sniffer: str = ""  # module:Class of a TypeSniffer for files within files; "": none is read


class Processor(Protocol):
    """Turns the bytes of a file into facts, a text, or pictures.

    An importable class that is called with a ProcessorOptions, and the target of an entry point
    in `docstore.processors`. Synchronous and blocking on purpose: `extract` runs in a child
    process of its own, which is killed when it breaks a limit. Making one and asking all else
    happens in docstore's own processes, so it is cheap and touches no parser.
    `docstore.testing.ProcessorContract` tests every promise made here.
    """

    @property
    def name(self) -> str:
        """Unique among processors; also the name of its entry point in `docstore.processors`."""
        ...

    @property
    def version(self) -> str:
        """Changes when the same bytes may give other findings."""
        ...

    @property
    def limits(self) -> Limits: ...

    def accepts(self, media_type: MediaType) -> bool:
        """Whether it reads files of that type; always the same answer."""
        ...

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        """Read `body`, a seekable file opened for reading at its start.

        Raises ProcessingFailed when the file cannot be read; anything else it raises counts as a
        crash. Must give the same answer for the same bytes and settings.
        """
        ...


@runtime_checkable
class Preloads(Protocol):
    """An optional power of a processor that imports modules when it extracts: no child can."""

    def preload(self) -> None:
        """Import them, once, in the process that all children are forked from. Start no thread
        and parse nothing: a fork copies neither threads nor their locks' owners.
        """
        ...


class Observe(Protocol):
    """Told of each run of a processor: how many seconds it took, and `ok` or the code of the
    failure it ended with. Returns at once.
    """

    def __call__(self, processor: str, seconds: float, outcome: str) -> None: ...


class Extractor(Protocol):
    """Runs every processor that accepts a file, each where it can do no harm."""

    async def extract(self, file: File, body: AsyncIterator[bytes]) -> Sequence[Findings]:
        """What each processor that accepts the file found; none accepts it: nothing.

        Raises ProcessingFailed with the reason when one of them could not do its work, was killed
        at a limit, or died. Cancelling kills what runs.
        """
        ...


@runtime_checkable
class Confines(Protocol):
    """An optional power of an extractor that knows how its parsers are confined."""

    def confinement(self) -> Confinement | None:
        """None as long as it was not opened."""
        ...
