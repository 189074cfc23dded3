"""Everything that knows how the library pypdfium2 opens a PDF, and fails to."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from docstore.adapters.processors.reading import Encrypted
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode

_LOCKED: Final = (4, 5)  # FPDF_ERR_PASSWORD; FPDF_ERR_SECURITY, a handler it does not know


@contextmanager
def opened(data: bytes) -> Iterator[Any]:
    """The document. Raises Encrypted, and ProcessingFailed for whatever the library fails at."""
    import pypdfium2

    try:
        with closing(pypdfium2.PdfDocument(data)) as document:
            yield document
    except pypdfium2.PdfiumError as error:
        # The code may be that of an earlier document; the name stands in every locked one.
        if getattr(error, "err_code", None) in _LOCKED and b"/Encrypt" in data:
            raise Encrypted(str(error)) from error
        raise ProcessingFailed(FailureCode.CORRUPT, f"not a whole PDF: {error}") from error
