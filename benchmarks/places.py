"""Where the data lies, and the memory that it will take."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

MIB: Final = 1024 * 1024
GIB: Final = 1024 * MIB

NEEDED: Final = 8 * GIB  # bytes that the data of a round take, with room to spare
TOUCHED: Final = 7 * GIB
SHARED_MEMORY: Final = Path("/dev/shm")


def roomiest() -> Path:
    """In memory where it fits, so that no disk is measured; else where temporary files go."""
    if SHARED_MEMORY.is_dir() and min(_free(SHARED_MEMORY), _memory()) >= NEEDED:
        return SHARED_MEMORY
    return Path(tempfile.gettempdir())


def on_disk() -> Path:
    """Where files go that are to be synced. What a temporary folder in memory makes of a sync
    is nothing: `kind` tells."""
    return Path(tempfile.gettempdir())


def kind(place: Path) -> str:
    """The type of the filesystem there, such as tmpfs or ext4."""
    best, found = "", "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, name, *_ = line.split()
        is_above = str(place.resolve()).startswith(mount.rstrip("/") + "/") or mount == "/"
        if is_above and len(mount) >= len(best):
            best, found = mount, name
    return found


@contextmanager
def folder(parent: Path) -> Iterator[Path]:
    """An empty one, gone afterwards. Buckets are named as it is, so no `mkdtemp`: it likes `_`."""
    made = parent / f"docstore-bench-{secrets.token_hex(6)}"
    made.mkdir(mode=0o700)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def big_file(where: Path) -> Path:
    """1 GiB that no filesystem can compress."""
    path = where / "source.bin"
    with path.open("wb") as target:
        for seed in range(GIB // (4 * MIB)):
            target.write(Random(seed).randbytes(4 * MIB))
    return path


def touch_memory(where: Path) -> None:
    """A virtual machine's memory that its host has not backed yet is up to ten times slower when
    it is used first. So it is used before anything is measured."""
    most = min(TOUCHED, _free(where) // 2, _memory() // 2)
    zeros = bytes(4 * MIB)
    path = where / "touched.bin"
    try:
        with path.open("wb", buffering=0) as target:
            for _ in range(most // len(zeros)):
                target.write(zeros)
    finally:
        path.unlink(missing_ok=True)


def _free(where: Path) -> int:
    found = os.statvfs(where)
    return found.f_bavail * found.f_frsize


def _memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0
