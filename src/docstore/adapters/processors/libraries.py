"""All that reading documents may import: slow, so done once, before any child is forked."""

from importlib import import_module
from typing import Final

from docstore.adapters.processors import recognition
from docstore.adapters.processors.pdf_engine import load_pdf_engine
from docstore.adapters.processors.references import named
from docstore.application.ports.processor import ProcessorOptions

_LAZY: Final = (
    "charset_normalizer", "kreuzberg", "mutagen", "olefile", "pymediainfo", "pypdfium2", "xlrd",
)  # fmt: skip

_SEEING: Final = ("PIL.ImageFile", "docstore.adapters.processors.page_drawing")


def preload(options: ProcessorOptions) -> None:
    for each in _LAZY:
        import_module(each)
    load_pdf_engine()
    if options.ocr_languages:
        for each in _SEEING:
            import_module(each)
        recognition.missing(options)
    if options.sniffer:
        named(options.sniffer)
