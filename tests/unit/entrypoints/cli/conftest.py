import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result

from docstore.entrypoints.cli import main

Run: TypeAlias = Callable[..., Result]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command sets logging up for its process, which here is the tests' own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


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
