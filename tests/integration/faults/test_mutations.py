"""Broken files of every kind, through the jail as a worker has it: each comes to an end."""

import os
from pathlib import Path
from typing import Any, Final

import pytest

from docstore.adapters.processors.jail import Jail
from docstore.container import Container
from docstore.settings import Settings
from integration.faults.mill import Mill, Tally
from integration.faults.seeds import seeds

NUMBERS: Final = {"full": 2000, "long": 50_000}
FEW: Final = 150
SECONDS: Final = 10.0  # that a processor gets


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def ground(folder: Path, number: int) -> Tally:
    """How so many mutations ended. No file lacks an outcome, and no process died but parsers."""
    seed = int(os.environ.get("DOCSTORE_TEST_SEED") or 1)
    samples = folder / "samples"
    samples.mkdir()
    chosen: dict[str, Any] = {"isolation": "jail", "process_seconds": SECONDS}
    container = Container(settings=Settings(data_dir=folder / "data", **chosen))
    async with container.extractor() as jail:
        mill = Mill(
            jail,
            container.sniffer(),
            container.processors(),
            seeds(samples),
            seconds=SECONDS,
            seed=seed,
        )
        before = zygote(jail)
        await mill.grind(number)
        print(f"\nDOCSTORE_TEST_SEED={seed}: {mill.tally}")
        assert mill.tally.outcomes.total() == number
        assert mill.tally.hung == []
        assert zygote(jail) == before
        return mill.tally


def zygote(jail: Jail) -> int:
    assert jail._zygote is not None
    return jail._zygote._process.pid


@pytest.mark.anyio
async def test_a_few_broken_files_come_to_an_end(tmp_path: Path) -> None:
    tally = await ground(tmp_path, FEW)
    assert tally.outcomes["processed"] > 0
    assert tally.outcomes["corrupt"] > 0
    assert tally.raised == []


@pytest.mark.faults
@pytest.mark.anyio
@pytest.mark.timeout(7200)
async def test_many_broken_files_come_to_an_end(tmp_path: Path) -> None:
    tally = await ground(tmp_path, NUMBERS[os.environ.get("DOCSTORE_TEST_FAULTS", "full")])
    assert tally.raised == []
