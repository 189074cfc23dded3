"""Text in pictures, recognised by Tesseract: everything that knows the library tesserocr.

The engine and its languages are loaded once, in the process that all parsers are forked from: a
child can open neither. What is missing is told on each file, and by `docstore doctor`.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docstore.application.ports.processor import ProcessorOptions
from docstore.domain.findings import Notice

if TYPE_CHECKING:  # Pillow is imported in the parsers' process only
    from PIL import Image

ROOM: Final = (3000, 3000)
"""Pixels: an A4 page at 250 for an inch, beyond which nothing is recognised better."""

STDERR: Final = 2

_USUAL: Final = (
    f"{sys.prefix}/share/tessdata",
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
)


def missing(options: ProcessorOptions) -> str | None:
    """What keeps it from working, and what to do about it; None when it works, or is not wanted.

    Asked once before any child is forked, since it is found out by opening files.
    """
    found = _engine(options.ocr_languages, options.ocr_data) if options.ocr_languages else None
    return found if isinstance(found, str) else None


def notices(options: ProcessorOptions) -> Sequence[Notice]:
    """The same, to the owner of a file in which there may be text to be recognised."""
    why = missing(options)
    return [Notice("partial", f"text in pictures was not recognised: {why}")] if why else ()


def recognised(image: "Image.Image", options: ProcessorOptions, seconds: float) -> str | None:
    """The text in it, empty when none is wanted; None when so many seconds were too few."""
    if not options.ocr_languages or missing(options):
        return ""
    engine = _engine(options.ocr_languages, options.ocr_data)
    grey = image.convert("L")
    engine.SetImageBytes(grey.tobytes(), grey.width, grey.height, 1, grey.width)
    try:
        with _quiet():
            done = engine.Recognize(max(1, int(seconds * 1000)))
        return str(engine.GetUTF8Text()).strip() if done else None
    finally:
        engine.Clear()


@contextmanager
def _quiet() -> Iterator[None]:
    """The engine tells of each empty page on standard error, or would open a file for it."""
    usual, (unread, written) = os.dup(STDERR), os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.dup2(written, STDERR, inheritable=False)
        yield
    finally:
        os.dup2(usual, STDERR)
        for each in (usual, unread, written):
            os.close(each)


@cache
def _engine(languages: str, folder: str) -> Any:
    """Or a text: why there is none."""
    try:
        import tesserocr
    except ImportError:
        return "install docstore[ocr], or set DOCSTORE_OCR=off"
    names = [f"{each}.traineddata" for each in languages.split("+")]
    data = next((each for each in _places(folder) if _has(each, names)), None)
    if data is None:
        return f"there is no {' or no '.join(names)} in the folder DOCSTORE_OCR_DATA"
    try:
        engine = tesserocr.PyTessBaseAPI(path=f"{data}/", lang=languages)
    except RuntimeError:
        return f"the data of {languages} cannot be loaded (DOCSTORE_OCR)"
    engine.SetVariable("debug_file", "")
    return engine


def _places(folder: str) -> Sequence[Path]:
    return [Path(each) for each in ([folder] if folder else _USUAL)]


def _has(place: Path, names: Sequence[str]) -> bool:
    return all((place / name).is_file() for name in names)
