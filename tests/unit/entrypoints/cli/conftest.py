from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result

from docstore.entrypoints.cli import main

Run: TypeAlias = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory of the test's commands; not there yet."""
    return tmp_path / "data"


@pytest.fixture
def run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command: `run("users", "list", input="...")`. Settings are the defaults."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCSTORE_DATA_DIR", str(data))

    def run(*words: str, input: str | None = None) -> Result:
        return CliRunner().invoke(main, words, input=input)

    return run
