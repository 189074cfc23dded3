"""Jails of a known strength, and what is asked of them."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from docstore.adapters.processors.jail import Jail
from docstore.adapters.processors.walls import Level
from docstore.application.ports.extractor import Extractor
from docstore.application.ports.processor import Findings, Processor, ProcessorOptions
from docstore.domain.names import MediaType
from docstore.testing import a_file

OPTIONS = ProcessorOptions(max_result_bytes=1024**2, max_text_characters=77)
REQUIRED = "jail" in os.environ.get("DOCSTORE_TEST_REQUIRE", "")


@asynccontextmanager
async def opened(
    probes: Sequence[type[Processor]], folder: Path, level: Level
) -> AsyncIterator[Jail]:
    """Of exactly that level; a test that this kernel has no such jail for is skipped."""
    processors = [probe(OPTIONS) for probe in probes]  # type: ignore[call-arg] # as the port says
    async with Jail(processors, options=OPTIONS, folder=folder, highest=level) as jail:
        confinement = jail.confinement()
        assert confinement is not None
        if confinement.level < level:
            (pytest.fail if REQUIRED else pytest.skip)(f"no such jail here: {confinement.detail}")
        yield jail
        assert children(jail) == set()
    assert os.listdir(folder) == []


def zygote(jail: Jail) -> int:
    assert jail._zygote is not None
    return jail._zygote._process.pid


def children(jail: Jail) -> set[int]:
    pid = zygote(jail)
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


async def body(data: bytes = b"good words") -> AsyncIterator[bytes]:
    for start in range(0, len(data), 3):
        yield data[start : start + 3]


async def extract(
    jail: Jail, probe: type[Processor], data: bytes = b"good words"
) -> Sequence[Findings]:
    return await findings_of(jail, MediaType(f"x/{probe.__name__.lower()}"), body(data))


async def findings_of(
    extractor: Extractor, media_type: MediaType, data: AsyncIterator[bytes]
) -> Sequence[Findings]:
    """What all processors that accept the type find."""
    async with extractor.reading(a_file(media_type=media_type), data) as reading:
        return [await reading.run(step.processor) for step in extractor.plan(media_type)]
