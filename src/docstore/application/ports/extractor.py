from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from docstore.application.ports.processor import Findings
from docstore.domain.confinement import Confinement
from docstore.domain.file import File
from docstore.domain.names import MediaType
from docstore.domain.step import Planned


class Reading(Protocol):
    """A file whose bytes are at hand for as many processors as are to read it."""

    async def run(self, processor: str) -> Findings:
        """What that one of the plan found.

        Raises ProcessingFailed with the reason when it could not do its work, was killed at a
        limit, or died. Cancelling kills it.
        """
        ...


class Extractor(Protocol):
    """Runs processors, each where it can do no harm."""

    def plan(self, media_type: MediaType) -> Sequence[Planned]:
        """The processors that accept files of that type, in the order in which they are to run.
        Asked of an extractor that need not have been opened.
        """
        ...

    def reading(
        self, file: File, body: AsyncIterator[bytes]
    ) -> AbstractAsyncContextManager[Reading]:
        """`body` is read to its end on entering, once for all; its errors pass through."""
        ...


class Observe(Protocol):
    """Told of each run of a processor: how many seconds it took, and `ok` or the code of the
    failure it ended with. Returns at once.
    """

    def __call__(self, processor: str, seconds: float, outcome: str) -> None: ...


@runtime_checkable
class Confines(Protocol):
    """An optional power of an extractor that knows how its parsers are confined."""

    def confinement(self) -> Confinement | None:
        """None as long as it was not opened."""
        ...
