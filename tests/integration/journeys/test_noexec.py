"""A folder for temporary files from which no library can be loaded."""

from pathlib import Path

import pytest

from docstore.adapters.processors.jail import Jail
from docstore.adapters.processors.text import TextProcessor
from docstore.adapters.processors.zygote_process import ZygoteFailed
from docstore.application.ports.processor import ProcessorOptions
from integration.mounts import tmpfs


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_a_worker_says_why_it_does_not_start_and_what_to_do(tmp_path: Path) -> None:
    options = ProcessorOptions()
    with tmpfs(tmp_path / "tmp", size=64 * 1024**2, options="noexec"):
        jail = Jail([TextProcessor(options)], options=options, folder=tmp_path / "tmp")
        with pytest.raises(ZygoteFailed, match=r"noexec: .* TMPDIR"):
            await jail.__aenter__()
