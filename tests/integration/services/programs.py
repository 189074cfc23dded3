"""Where the programs of real servers are found, and what a test does without them.

`python tests/integration/services/programs.py minio versitygw` builds those that are nowhere, once,
into a cache outside of the tree.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

import pytest

_CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "docstore/bin"

GO_MODULES: Final[Mapping[str, str]] = {
    "minio": "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c",
    "versitygw": "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
}
BUILD_SECONDS: Final = 1800.0


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


def program(name: str) -> Path:
    """One that we know how to build; it may be missing."""
    found = find(name)
    if found is None:
        missing(name, f"neither on PATH nor in {_CACHE}; this file, run as a program, builds it")
    return found


def build(name: str) -> None:
    """Into the cache. Takes minutes, so no test does so by itself."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["go", "install", GO_MODULES[name]],
        env={**os.environ, "GOBIN": str(_CACHE)},
        check=True,
        timeout=BUILD_SECONDS,
    )


if __name__ == "__main__":
    wanted = [name for name in sys.argv[1:] if find(name) is None]
    if wanted and shutil.which("go") is None:
        print(f"no Go to build {', '.join(wanted)} with: their tests are skipped")
    else:
        for each in wanted:
            build(each)
