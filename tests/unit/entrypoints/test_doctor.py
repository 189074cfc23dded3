from pathlib import Path
from typing import Any

import pytest

from docstore.adapters.processors.protocol import Setup
from docstore.adapters.processors.walls import Level as Wall
from docstore.entrypoints.doctor import examine
from docstore.entrypoints.surroundings import Finding, Level
from docstore.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def parsers(folder: Path, **changes: Any) -> Finding:
    settings = Settings(data_dir=folder, durability="relaxed", **changes)
    [finding] = [each async for each in examine(settings) if each.subject == "parsers"]
    return finding


async def test_parsers_in_the_worker_are_a_warning(tmp_path: Path) -> None:
    finding = await parsers(tmp_path, isolation="none")
    assert finding.level is Level.WARNING
    assert "hostile" in finding.detail


async def test_the_level_of_the_jail_is_told(tmp_path: Path) -> None:
    finding = await parsers(tmp_path, isolation="jail")
    assert "in the jail, level " in finding.detail
    assert (finding.level is Level.OK) == ("level 3" in finding.detail)


async def test_a_jail_with_a_wall_missing_is_a_warning_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = "docstore.adapters.processors.jail.Setup"
    monkeypatch.setattr(setup, lambda names, options, _: Setup(names, options, Wall.CALLS))
    finding = await parsers(tmp_path, isolation="jail")
    assert finding.level is Level.WARNING
    assert "no Landlock" in finding.detail
    finding = await parsers(tmp_path, isolation="strict")
    assert finding.level is Level.FAILED
    assert "DOCSTORE_ISOLATION" in finding.detail
