"""Puts broken files through a jail, and counts how they end."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from random import Random
from typing import Final

import anyio

from docstore.adapters.processors.jail import Jail
from docstore.application.ports.media_types import Sample, TypeSniffer
from docstore.application.ports.processor import Processor
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import FileName, MediaType
from docstore.testing import a_file
from integration.faults.mutations import mutated

AT_ONCE: Final = 3
PROGRESS: Final = 1000  # files between two lines of it
GRACE: Final = 10.0  # seconds beyond a processor's limit, until a file counts as hanging
SLOWEST: Final = 5  # files of which it is told how long they took
END: Final = 128 * 1024  # bytes of each end that tell the type
OURS: Final = "the processor raised"
"""How a crash begins that is no library's: Python code that did not expect such a file."""

_TOLD: Final = (
    FailureCode.CRASHED, FailureCode.TIMEOUT, FailureCode.MEMORY, FailureCode.UNAVAILABLE
)  # fmt: skip
Named = tuple[str, bytes]


@dataclass
class Tally:
    outcomes: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)  # crashes and the like, by what they say
    hung: list[str] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)  # seconds, and which file

    def __str__(self) -> str:
        lines = [f"  {number} x {what}" for what, number in self.told.most_common()]
        lines += [f"  {seconds:.1f} s: {name}" for seconds, name in self.slowest]
        return "\n".join([str(dict(self.outcomes)), *lines])

    @property
    def raised(self) -> list[str]:
        return [each for each in self.told if OURS in each]

    def took(self, seconds: float, name: str) -> None:
        self.slowest = nlargest(SLOWEST, [*self.slowest, (seconds, name)])

    def note(self, name: str, outcome: str, message: str = "") -> bool:
        """Whether it ended badly."""
        self.outcomes[str(outcome)] += 1
        if self.outcomes.total() % PROGRESS == 0:
            print(self)
        if outcome in _TOLD:
            self.told[f"{name.rpartition('.')[2]}: {outcome}, {message}"] += 1
        return outcome in _TOLD


class Mill:
    """The same seed gives the same files. Those that crash are kept in DOCSTORE_TEST_KEEP."""

    def __init__(
        self,
        jail: Jail,
        sniffer: TypeSniffer,
        processors: Sequence[Processor],
        whole: Sequence[Named],
        *,
        seconds: float,
        seed: int,
    ) -> None:
        """`seconds` is the most that any processor gets."""
        self.tally = Tally()
        self._jail = jail
        self._sniffer = sniffer
        self._processors = processors
        self._whole = whole
        self._seconds = seconds
        self._seed = seed
        self._keep = os.environ.get("DOCSTORE_TEST_KEEP")

    async def grind(self, number: int) -> None:
        turns = iter(range(number))
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._grind(turns))

    async def _grind(self, turns: Iterator[int]) -> None:
        for turn in turns:
            dice = Random(self._seed * 1_000_003 + turn)
            name, data = dice.choice(self._whole)
            broken = mutated(data, [dice.choice(self._whole)[1]], dice)
            began = time.monotonic()
            if await self._ends_badly(name, self._type(name, data, broken), broken) and self._keep:
                kept = f"{self._seed}-{turn}-{name}"
                await anyio.Path(self._keep, kept).write_bytes(broken)
            self.tally.took(time.monotonic() - began, f"{turn}-{name}")

    async def _ends_badly(self, name: str, kind: MediaType, data: bytes) -> bool:
        file = a_file(media_type=kind, original_filename=FileName(name), size=len(data))
        try:
            async with self._jail.reading(file, _body(data)) as reading:
                for step in self._jail.plan(kind):
                    async with asyncio.timeout(self._seconds + GRACE):
                        await reading.run(step.processor)
            return self.tally.note(name, "processed")
        except ProcessingFailed as error:
            return self.tally.note(name, error.failure, str(error))
        except TimeoutError:
            self.tally.hung.append(name)
            return True

    def _type(self, name: str, data: bytes, broken: bytes) -> MediaType:
        """As an upload would be found to be; that of the whole file when nobody read the other."""
        found = self._sniffed(name, broken)
        if any(each.accepts(found) for each in self._processors):
            return found
        return self._sniffed(name, data)

    def _sniffed(self, name: str, data: bytes) -> MediaType:
        tail = data[END:][-END:]
        sample = Sample(head=data[:END], tail=tail, size=len(data), name=FileName(name))
        return self._sniffer.sniff(sample)


async def _body(data: bytes) -> AsyncIterator[bytes]:
    yield data
