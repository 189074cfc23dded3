"""How long files take until they are read, and what of that is the jail's."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Any, Final

from docstore.application.ports.extractor import Extractor
from docstore.container import Container
from docstore.domain.names import MediaType
from docstore.settings import Settings
from docstore.testing import a_file
from places import folder
from processes import cpu_seconds, settle
from samples import sample
from seeding import count, wait_for
from stage import Measured, Stage
from targets import Docstore

STEPS: Final = 200
WARMING: Final = 20
CONNECTIONS: Final = 16
LOOK: Final = 0.05  # seconds


def processed(files: int, kind: str = "") -> Callable[[Stage], Measured]:
    """So many files from the first byte of the first until all are processed. Of that kind, or
    random bytes, which no parser accepts.
    """

    def measure(stage: Stage) -> Measured:
        assert isinstance(stage.target, Docstore)
        settle(*stage.target.pids)
        wanted = count(stage.target, status="processed") + files
        path = sample(kind, stage.source.parent) if kind else None
        plan = stage.target.upload(
            size=path.stat().st_size if path else 10 * 1024,
            source=str(path) if path else None,
            connections=CONNECTIONS,
            requests=files,
        )
        began, cpu = time.perf_counter(), cpu_seconds(*stage.target.pids)
        played = stage.prepared(plan)
        wait_for(stage.target, wanted, "processed", look=LOOK)
        seconds = time.perf_counter() - began
        cpu = (cpu_seconds(*stage.target.pids) - cpu) / files * 1000
        note = f"uploads took {played.seconds:.1f} s of it"
        return Measured(value=files / seconds, cpu=cpu, note=note)

    return measure


def step(stage: Stage) -> Measured:
    """Milliseconds that a text takes in the jail beyond those in a thread: one processor's run."""
    text = sample("text", stage.source.parent).read_bytes()
    with folder(stage.source.parent) as place:
        jailed, inline = (
            asyncio.run(_median(text, place, isolation)) for isolation in ("jail", "none")
        )
    note = f"{jailed:.1f} ms in the jail, {inline:.1f} ms in a thread"
    return Measured(value=jailed - inline, note=note)


async def _median(text: bytes, place: Path, isolation: str) -> float:
    chosen: dict[str, Any] = {"isolation": isolation, "log_level": "error"}
    container = Container(settings=Settings(data_dir=place, **chosen))
    extractor: Any = container.extractor()
    async with extractor if isolation == "jail" else nullcontext():
        taken = [await _timed(extractor, text) for _ in range(WARMING + STEPS)]
    return median(taken[WARMING:]) * 1000


async def _timed(extractor: Extractor, text: bytes) -> float:
    file = a_file(media_type=MediaType("text/plain"), size=len(text))
    began = time.perf_counter()
    async with extractor.reading(file, _body(text)) as reading:
        for each in extractor.plan(file.media_type):
            await reading.run(each.processor)
    return time.perf_counter() - began


async def _body(data: bytes) -> AsyncIterator[bytes]:
    yield data
