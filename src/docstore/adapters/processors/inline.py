import asyncio
from collections.abc import AsyncIterator, Sequence

from docstore.adapters.processors.spool import Spool, spooled
from docstore.adapters.processors.timing import observed
from docstore.adapters.processors.wording import discreet
from docstore.application.ports.processor import Findings, Observe, Processor, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.file import File


class InlineExtractor:
    """Runs processors in threads of this process, with no limit and no protection.

    For tests and `memory://` stores, whose files are their owner's. A hanging parser hangs, a
    crashing one takes the process along.
    """

    def __init__(
        self, processors: Sequence[Processor], *, observe: Observe = lambda *_: None
    ) -> None:
        self._processors = processors
        self._observe = observe

    async def extract(self, file: File, body: AsyncIterator[bytes]) -> Sequence[Findings]:
        willing = [each for each in self._processors if each.accepts(file.media_type)]
        if not willing:
            return ()
        subject = Subject(name=file.original_filename, media_type=file.media_type, size=file.size)
        async with spooled(body, folder=None) as spool:
            return [await self._run(each, subject, spool) for each in willing]

    async def _run(self, processor: Processor, subject: Subject, spool: Spool) -> Findings:
        with observed(self._observe, processor.name):
            return await asyncio.to_thread(_run, processor, subject, spool)


def _run(processor: Processor, subject: Subject, spool: Spool) -> Findings:
    with open(spool.open(), "rb") as body:
        try:
            return processor.extract(body, subject)
        except ProcessingFailed as error:
            raise ProcessingFailed(error.failure, discreet(str(error))) from error
        except MemoryError as error:
            raise ProcessingFailed(FailureCode.MEMORY, "out of memory") from error
        except Exception as error:
            message = f"the processor raised {type(error).__name__}"
            raise ProcessingFailed(FailureCode.CRASHED, message) from error
