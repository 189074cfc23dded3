import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import anyio

from docstore.adapters.processors.lineup import Lineup, as_declared
from docstore.adapters.processors.protocol import Bounds, End, Run, Setup
from docstore.adapters.processors.references import reference
from docstore.adapters.processors.spool import Spool, spooled
from docstore.adapters.processors.timing import observed
from docstore.adapters.processors.verdict import judge
from docstore.adapters.processors.walls import Level, Walls
from docstore.adapters.processors.zygote_process import ZygoteFailed, ZygoteProcess
from docstore.application.ports.extractor import Observe, Reading
from docstore.application.ports.processor import (
    Findings,
    Limited,
    Limits,
    Processor,
    ProcessorOptions,
    Subject,
)
from docstore.domain.confinement import Confinement
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.file import File
from docstore.domain.names import MediaType
from docstore.domain.step import Planned

PATIENCE: Final = 5.0
"""Seconds past a child's own limit before the zygote itself is taken for stuck."""
MAX_STARTS: Final = 5
START_WINDOW: Final = 60.0  # seconds in which at most MAX_STARTS zygotes are started
MAX_COMPLAINTS: Final = 16 * 1024  # bytes of a child's stderr that are looked at

log = logging.getLogger(__name__)


class Jail:
    """Runs each processor, for each file, in a process of its own that is thrown away after.

    A context manager: inside, one zygote process waits for orders. A child that breaks a limit,
    dies or hangs costs its own file alone. A zygote that dies costs the files being read, which
    end as `crashed`, and is started again.
    """

    def __init__(
        self,
        processors: Sequence[Processor],
        *,
        options: ProcessorOptions,
        off: Collection[str] = (),
        folder: Path | None = None,
        lowest: Level = Level.LIMITS,
        highest: Level = Level.FILES,
        observe: Observe = lambda *_: None,
    ) -> None:
        """`off` names processors that are installed and not used. `folder` holds files being
        read; the default is the system's for temporary files.

        Of the walls that the kernel has, all up to `highest` are put up around a parser. With
        those it must come to `lowest`, or the jail does not open.

        Raises Unorderable, and ValueError for a processor that no other process could import.
        """
        self._lineup = Lineup(processors, off=off)
        self._references = {each.name: reference(each) for each in self._lineup}
        self._options = options
        self._folder = folder
        self._lowest = lowest
        self._highest = highest
        self._walls: Walls | None = None
        self._observe = observe
        self._zygote: ZygoteProcess | None = None
        self._starting = asyncio.Lock()
        self._starts: deque[float] = deque(maxlen=MAX_STARTS)

    async def __aenter__(self) -> Self:
        """Raises ZygoteFailed, with the reason, when a processor cannot be loaded, or cannot be
        confined here as it must be.
        """
        walls = (await self._living_zygote()).walls
        log.log(
            logging.INFO if walls.level is Level.FILES else logging.WARNING, "parsers: %s", walls
        )
        self._walls = walls
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._zygote is not None:
            with anyio.CancelScope(shield=True):
                await self._zygote.close()
            self._zygote = None

    def confinement(self) -> Confinement | None:
        if self._walls is None:
            return None
        return Confinement(level=self._walls.level, detail=str(self._walls))

    def plan(self, media_type: MediaType) -> Sequence[Planned]:
        return self._lineup.plan(media_type)

    @asynccontextmanager
    async def reading(self, file: File, body: AsyncIterator[bytes]) -> AsyncIterator[Reading]:
        subject = Subject(name=file.original_filename, media_type=file.media_type, size=file.size)
        async with spooled(body, self._folder) as spool:
            yield JailedReading(self, subject, spool)

    async def run(self, name: str, subject: Subject, spool: Spool) -> Findings:
        """What the processor of that name finds, in a child of its own."""
        with observed(self._observe, name):
            return as_declared(self._lineup[name], await self._run(name, subject, spool))

    async def _run(self, name: str, subject: Subject, spool: Spool) -> Findings:
        bounds = self._bounds(self._lineup[name])
        try:
            zygote = await self._living_zygote()
        except ZygoteFailed as error:
            message = f"no parser can be started: {error}"
            raise ProcessingFailed(FailureCode.UNAVAILABLE, message) from error
        with ExitStack() as stack:
            answer = _open_memory("answer", stack)
            complaints = _open_memory("complaints", stack)
            order = Run(zygote.next_id(), self._references[name], subject, bounds)
            end = await _carry_out(zygote, order, (spool.open(), answer, complaints))
            said = await asyncio.to_thread(os.pread, answer, bounds.result + 1, 0)
            heard = os.pread(complaints, MAX_COMPLAINTS, 0)
        if heard:
            log.warning("%s wrote %d bytes to stderr", name, len(heard))
            log.debug("%s wrote: %r", name, heard.decode(errors="backslashreplace"))
        return await asyncio.to_thread(judge, end, said, heard, bounds)

    def _bounds(self, processor: Processor) -> Bounds:
        own = processor.limits if isinstance(processor, Limited) else Limits()
        return Bounds(
            own.seconds or self._options.seconds,
            own.memory or self._options.memory,
            own.output or self._options.max_result_bytes,
        )

    async def _living_zygote(self) -> ZygoteProcess:
        async with self._starting:
            if self._zygote is None or not self._zygote.is_alive:
                self._zygote = await self._start_again(self._zygote)
            return self._zygote

    async def _start_again(self, dead: ZygoteProcess | None) -> ZygoteProcess:
        if dead is not None:
            log.error("the process of the parsers died and is started again")
            await dead.close()
        now = time.monotonic()
        if len(self._starts) == MAX_STARTS and now - self._starts[0] < START_WINDOW:
            raise ZygoteFailed(f"it died {MAX_STARTS} times in {START_WINDOW:.0f} s")
        self._starts.append(now)
        references = [*self._references.values()]
        setup = Setup(references, self._options, self._highest)
        zygote = await ZygoteProcess.start(setup, self._folder)
        if zygote.walls.level < self._lowest:
            await zygote.close()
            wanted = f"DOCSTORE_ISOLATION asks for level {self._lowest.value}"
            raise ZygoteFailed(f"{wanted}, and a parser can be confined here at {zygote.walls}")
        return zygote


@dataclass(frozen=True, slots=True)
class JailedReading:
    """One file, read by one child after the other."""

    jail: Jail
    subject: Subject
    spool: Spool

    async def run(self, processor: str) -> Findings:
        return await self.jail.run(processor, self.subject, self.spool)


async def _carry_out(zygote: ZygoteProcess, order: Run, descriptors: Sequence[int]) -> End:
    """Wait for the child's end, but not for ever; when cancelled, see it killed first."""
    try:
        ended = zygote.submit(order, descriptors)
        async with asyncio.timeout(order.bounds.seconds + PATIENCE):
            return await asyncio.shield(ended)
    except TimeoutError:
        zygote.terminate()
        message = f"not done after {order.bounds.seconds:g} s, and could not be stopped"
        raise ProcessingFailed(FailureCode.TIMEOUT, message) from None
    except ZygoteFailed as error:
        raise ProcessingFailed(FailureCode.CRASHED, f"the parser's process: {error}") from error
    except asyncio.CancelledError:
        await _see_killed(zygote, order.id, ended)
        raise
    finally:
        os.close(descriptors[0])


async def _see_killed(zygote: ZygoteProcess, id: int, ended: asyncio.Future[End]) -> None:
    zygote.kill(id)
    with anyio.move_on_after(PATIENCE, shield=True):
        with suppress(ZygoteFailed):
            await asyncio.shield(ended)
        return
    zygote.terminate()


def _open_memory(name: str, stack: ExitStack) -> int:
    """A file in memory, which the child's limit on file sizes bounds."""
    descriptor = os.memfd_create(name)
    stack.callback(os.close, descriptor)
    return descriptor
