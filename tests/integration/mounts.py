"""Small filesystems of a test's own: to be filled up, or made read-only, without harm."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

REQUIRED: Final = "mounts" in os.environ.get("DOCSTORE_TEST_REQUIRE", "")
"""Whether a machine that does not let us mount fails these tests, instead of skipping them."""


@contextmanager
def tmpfs(folder: Path, *, size: int, inodes: int = 1000, options: str = "exec") -> Iterator[None]:
    """While inside, `folder`, made when missing, is a filesystem of `size` bytes in memory. Skips
    the test where that is not permitted.
    """
    folder.mkdir(exist_ok=True)
    options = f"size={size},nr_inodes={inodes},mode=700,{options}"
    refusal = _run("mount", "-t", "tmpfs", "-o", options, "docstore-test", str(folder))
    if refusal:
        (pytest.fail if REQUIRED else pytest.skip)(f"nothing can be mounted here: {refusal}")
    try:
        yield
    finally:
        _run("umount", "--lazy", str(folder))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """While inside, nothing can be written to the filesystem mounted at `folder`."""
    assert not _run("mount", "-o", "remount,ro", str(folder))
    try:
        yield
    finally:
        assert not _run("mount", "-o", "remount,rw", str(folder))


@contextmanager
def filled_up(folder: Path, *, but_for: int = 0) -> Iterator[None]:
    """While inside, the filesystem at `folder` has no more than `but_for` free blocks."""
    ballast = folder / "ballast"
    free = os.statvfs(folder)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, (free.f_bfree - but_for) * free.f_bsize)
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def crowded(folder: Path) -> Iterator[None]:
    """While inside, the filesystem at `folder` takes no more files."""
    seats = [folder / f"seat-{n}" for n in range(os.statvfs(folder).f_ffree)]
    for seat in seats:
        seat.touch()
    try:
        yield
    finally:
        for seat in seats:
            seat.unlink()


def _run(*words: str) -> str:
    """What it says when it fails; empty when it does not."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    except FileNotFoundError as error:
        return str(error)
    return done.stderr or "it failed" if done.returncode else ""
