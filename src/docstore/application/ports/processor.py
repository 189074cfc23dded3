from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, Protocol, runtime_checkable

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


class Kind(StrEnum):
    """What findings are made of."""

    FACTS = "facts"
    TEXT = "text"
    RENDITIONS = "renditions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one processor found. `facts` become keys of HTTP's `extracted`, such as `image`."""

    facts: Mapping[str, Json] = field(default_factory=dict)
    text: str | None = None
    pictures: Sequence[Picture] = ()
    warnings: Sequence[Notice] = ()
    media_type: MediaType | None = None  # a better answer than the signature's

    def kinds(self) -> frozenset[Kind]:
        """What they are made of."""
        there = {
            Kind.FACTS: bool(self.facts),
            Kind.TEXT: self.text is not None,
            Kind.RENDITIONS: bool(self.pictures),
        }
        return frozenset(kind for kind, is_there in there.items() if is_there)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a processor may use up before it is killed. None: as much as the settings say."""

    seconds: float | None = None  # by the wall clock; the same in CPU time
    memory: int | None = None  # bytes resident
    output: int | None = None  # bytes of its findings


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

    What else it may declare is in the protocols below. A name that it does not have means the
    default.
    """

    @property
    def name(self) -> str:
        """Unique among processors; also the name of its entry point in `docstore.processors`.
        Its steps are told by it, so it stays the same from version to version.
        """
        ...

    @property
    def version(self) -> str:
        """Changes when the same bytes may give other findings: `docstore reprocess --stale` runs
        it again on the files that another version has read.
        """
        ...

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
class Limited(Protocol):
    """A processor that needs other limits than the settings give to all."""

    @property
    def limits(self) -> Limits: ...


@runtime_checkable
class RunsAfter(Protocol):
    """A processor whose step comes behind those of others, where they accept the file as well.

    Of facts and pictures with the same name the later ones stay. When another version of one of
    the others runs, so does this again. A name that no installed processor has, or a circle, stops
    the start.
    """

    @property
    def after(self) -> Collection[str]: ...


@runtime_checkable
class Yields(Protocol):
    """A processor that does not find all kinds of things. To find another counts as a crash."""

    @property
    def yields(self) -> Collection[Kind]: ...


@runtime_checkable
class Preloads(Protocol):
    """An optional power of a processor that imports modules when it extracts: no child can."""

    def preload(self) -> None:
        """Import them, once, in the process that all children are forked from. Start no thread
        and parse nothing: a fork copies neither threads nor their locks' owners.
        """
        ...
