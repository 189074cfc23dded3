"""Where the programs of real servers are found, and what a test does without them."""

import os
import shutil
from pathlib import Path
from typing import Final, NoReturn

import pytest

_CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "docstore/bin"


def find(name: str, *places: Path) -> Path | None:
    """The program on PATH, in the cache, or in one of `places`; in this order."""
    if on_path := shutil.which(name):
        return Path(on_path)
    found = (folder / name for folder in (_CACHE, *places))
    return next((program for program in found if os.access(program, os.X_OK)), None)


def missing(server: str, why: str) -> NoReturn:
    """Skip the test, or fail it where that server is required (DOCSTORE_TEST_REQUIRE)."""
    required = os.environ.get("DOCSTORE_TEST_REQUIRE", "").split(",")
    (pytest.fail if server in required else pytest.skip)(f"no {server} here: {why}")
