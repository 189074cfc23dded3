"""A parser whose mood is written in the first byte of each file."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import sha256
from random import Random
from typing import Final

from docstore.application.ports.media_types import Sample
from docstore.application.ports.processor import Findings, Picture
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.file import File
from docstore.domain.names import MediaType

PLAIN, SLOW, CORRUPT, POISON, PICTURE, NOTHING = (bytes([c]) for c in b"psckin")
MOODS: Final = (PLAIN, PLAIN, PICTURE, PICTURE, NOTHING, SLOW, CORRUPT, POISON)


class SimulatedExtractor:
    """The same bytes give the same findings; only crashes come by chance."""

    def __init__(
        self, chance: Random, crashes: Callable[[], float] = lambda: 0.0, *, pace: float = 1.0
    ) -> None:
        self._chance = chance
        self._crashes = crashes  # their probability just now
        self._pace = pace  # 0: every parser is done at once

    async def extract(self, file: File, body: AsyncIterator[bytes]) -> Sequence[Findings]:
        data = b"".join([chunk async for chunk in body])
        mood = data[:1]
        seconds = self._chance.uniform(20, 100) if mood == SLOW else self._chance.random()
        await asyncio.sleep(self._pace * seconds)
        if mood == POISON or self._chance.random() < self._crashes():
            raise ProcessingFailed(FailureCode.CRASHED, "the parser died")
        if mood == CORRUPT:
            raise ProcessingFailed(FailureCode.CORRUPT, "no sense in it")
        return _findings(mood, data)


def _findings(mood: bytes, data: bytes) -> Sequence[Findings]:
    if mood == NOTHING:
        return []
    found = [Findings(facts={"text": {"characters": 64}}, text=sha256(data).hexdigest())]
    if mood == PICTURE:
        pixels = sha256(data).digest()
        picture = Picture(
            name="resized", media_type=MediaType("image/webp"), width=8, height=4, data=pixels
        )
        found.append(Findings(pictures=[picture]))
    return found


class EverythingIsText:
    """A sniffer that is never surprised."""

    def sniff(self, sample: Sample) -> MediaType:
        return MediaType("text/plain")
