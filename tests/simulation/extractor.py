"""Parsers whose mood is written in the first byte of each file."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Final

from docstore.application.ports.extractor import Reading
from docstore.application.ports.media_types import Sample
from docstore.application.ports.processor import Findings, Picture
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.file import File
from docstore.domain.ids import FileId
from docstore.domain.names import MediaType
from docstore.domain.step import Planned

PLAIN, SLOW, CORRUPT, POISON, PICTURE, NOTHING, NOTED = (bytes([c]) for c in b"psckind")
MOODS: Final = (PLAIN, PLAIN, PICTURE, PICTURE, NOTHING, SLOW, CORRUPT, POISON, NOTED)

WORDS, PICTURES, NOTES = STEPS = ("words", "pictures", "notes")
ALL: Final = MediaType("text/plain")  # which all of them accept
NONE: Final = MediaType("application/octet-stream")  # which none does
A_NOTE: Final = "a note of the day"


def text_of(mood: bytes, digest: str) -> str:
    """What is found in a file, by the sha256 of its bytes."""
    return f"{digest}\n{A_NOTE}" if mood == NOTED else digest


@dataclass(slots=True)
class SimulatedExtractor:
    """The same bytes give the same findings; only crashes come by chance. What is corrupt to the
    first version is not to the next.
    """

    chance: Random
    crashes: Callable[[], float] = lambda: 0.0  # their probability just now
    pace: float = 1.0  # 0: every parser is done at once
    saw: Callable[[FileId, str], Awaitable[None]] | None = None  # told before each run
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STEPS, 1))

    def upgrade(self, processor: str) -> None:
        self.versions[processor] += 1

    def plan(self, media_type: MediaType) -> Sequence[Planned]:
        return [
            Planned(processor=name, version=str(self.versions[name]), after=AFTER[name])
            for name in (STEPS if media_type == ALL else ())
        ]

    @asynccontextmanager
    async def reading(self, file: File, body: AsyncIterator[bytes]) -> AsyncIterator[Reading]:
        yield SimulatedReading(self, file.id, b"".join([chunk async for chunk in body]))


AFTER: Final = {WORDS: frozenset[str](), PICTURES: frozenset({WORDS}), NOTES: frozenset[str]()}


@dataclass(frozen=True, slots=True)
class SimulatedReading:
    extractor: SimulatedExtractor
    file_id: FileId
    data: bytes

    async def run(self, processor: str) -> Findings:
        its, mood = self.extractor, self.data[:1]
        if its.saw:
            await its.saw(self.file_id, processor)
        is_slow = mood == SLOW and processor == WORDS
        seconds = its.chance.uniform(20, 100) if is_slow else its.chance.random()
        await asyncio.sleep(its.pace * seconds)
        if (mood, processor) == (POISON, PICTURES) or its.chance.random() < its.crashes():
            raise ProcessingFailed(FailureCode.CRASHED, "the parser died")
        if (mood, processor) == (CORRUPT, NOTES) and its.versions[NOTES] == 1:
            raise ProcessingFailed(FailureCode.CORRUPT, "no sense in it")
        return _findings(mood, self.data, processor)


def _findings(mood: bytes, data: bytes, processor: str) -> Findings:
    if processor == WORDS:
        return Findings(facts={"text": {"characters": 64}}, text=sha256(data).hexdigest())
    if (mood, processor) == (PICTURE, PICTURES):
        pixels = sha256(data).digest()
        picture = Picture(
            name="resized", media_type=MediaType("image/webp"), width=8, height=4, data=pixels
        )
        return Findings(pictures=[picture])
    if (mood, processor) == (NOTED, NOTES):
        return Findings(text=A_NOTE)
    return Findings()


class ByMood:
    """A sniffer that sees whether there is something to be found."""

    def sniff(self, sample: Sample) -> MediaType:
        return NONE if sample.head[:1] == NOTHING else ALL
