import time
from collections.abc import Iterator
from contextlib import contextmanager

from docstore.application.ports.extractor import Observe
from docstore.domain.errors import ProcessingFailed

OK = "ok"


@contextmanager
def observed(observe: Observe, processor: str) -> Iterator[None]:
    """Tell `observe` how long what is inside took, and how it ended. A cancellation is no end."""
    began = time.monotonic()
    try:
        yield
    except ProcessingFailed as error:
        observe(processor, time.monotonic() - began, error.failure)
        raise
    observe(processor, time.monotonic() - began, OK)
