import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from docstore.adapters.processors.lineup import Lineup, as_declared
from docstore.adapters.processors.spool import Spool, spooled
from docstore.adapters.processors.timing import observed
from docstore.adapters.processors.wording import discreet
from docstore.application.ports.extractor import Observe, Reading
from docstore.application.ports.processor import Findings, Processor, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.file import File
from docstore.domain.names import MediaType
from docstore.domain.step import Planned


class InlineExtractor:
    """Runs processors in threads of this process, with no limit and no protection.

    For tests and `memory://` stores, whose files are their owner's. A hanging parser hangs, a
    crashing one takes the process along.
    """

    def __init__(
        self,
        processors: Sequence[Processor],
        *,
        off: Collection[str] = (),
        observe: Observe = lambda *_: None,
    ) -> None:
        """`off` names processors that are installed and not used. Raises Unorderable."""
        self._lineup = Lineup(processors, off=off)
        self._observe = observe

    def plan(self, media_type: MediaType) -> Sequence[Planned]:
        return self._lineup.plan(media_type)

    @asynccontextmanager
    async def reading(self, file: File, body: AsyncIterator[bytes]) -> AsyncIterator[Reading]:
        subject = Subject(name=file.original_filename, media_type=file.media_type, size=file.size)
        async with spooled(body, folder=None) as spool:
            yield InlineReading(self._lineup, self._observe, subject, spool)


@dataclass(frozen=True, slots=True)
class InlineReading:
    """One file, read in threads."""

    lineup: Lineup
    observe: Observe
    subject: Subject
    spool: Spool

    async def run(self, processor: str) -> Findings:
        its = self.lineup[processor]
        with observed(self.observe, processor):
            return await asyncio.to_thread(_run, its, self.subject, self.spool)


def _run(processor: Processor, subject: Subject, spool: Spool) -> Findings:
    with open(spool.open(), "rb") as body:
        try:
            return as_declared(processor, processor.extract(body, subject))
        except ProcessingFailed as error:
            raise ProcessingFailed(error.failure, discreet(str(error))) from error
        except MemoryError as error:
            raise ProcessingFailed(FailureCode.MEMORY, "out of memory") from error
        except Exception as error:
            message = f"the processor raised {type(error).__name__}"
            raise ProcessingFailed(FailureCode.CRASHED, message) from error
