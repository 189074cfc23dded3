"""Finds the servers that tests run against: on PATH, or in a cache outside of the tree, into which
`python tests/integration/services/programs.py minio versitygw` builds what is missing.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "docstore" / "bin"
GO_MODULES: Final[Mapping[str, str]] = {
    "minio": "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c",
    "versitygw": "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
}
BUILD_SECONDS: Final = 1800.0


def is_required(name: str) -> bool:
    """Whether a test that cannot have it fails, instead of being skipped."""
    return name in os.environ.get("DOCSTORE_TEST_REQUIRE", "").split(",")


def missing(name: str, why: str) -> None:
    """Skip the test, or fail it."""
    (pytest.fail if is_required(name) else pytest.skip)(f"{name} is not to be had here: {why}")


def program(name: str) -> Path:
    """Where it is; skips the test when it is nowhere."""
    path = found(name)
    if path is None:
        missing(name, f"it is neither on PATH nor in {CACHE}")
    assert path is not None
    return path


def found(name: str) -> Path | None:
    at = shutil.which(name) or shutil.which(name, path=str(CACHE))
    return Path(at) if at else None


def build(name: str) -> None:
    """Build it into the cache. Takes minutes, so no test does so by itself."""
    CACHE.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["go", "install", GO_MODULES[name]],
        env={**os.environ, "GOBIN": str(CACHE)},
        check=True,
        timeout=BUILD_SECONDS,
    )


if __name__ == "__main__":
    if shutil.which("go") is None:
        sys.exit("there is no Go to build with; what is missing is skipped")
    for wanted in sys.argv[1:]:
        if found(wanted) is None:
            build(wanted)
