"""What an installation stands on: the folder, the disk, the settings. Nothing is opened."""

import os
import resource
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeAlias

from docstore.entrypoints.secrecy import ADVICE, is_guessable, is_refused
from docstore.settings import Settings

LITTLE_SPACE: Final = 1024**3  # bytes
FEW_INODES: Final = 10_000
FEW_FILES: Final = 1024  # open at once
ON_A_NETWORK: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph"})
_Filesystem: TypeAlias = Callable[[Path], str | None]

LIBRARIES: Final = ("litestar", "uvicorn", "SQLAlchemy", "kreuzberg", "pillow")


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"  # it works, and there is something to know
    FAILED = "failed"  # it does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do about it."""

    subject: str
    level: Level
    detail: str


def surroundings(settings: Settings, filesystem: _Filesystem) -> Iterator[Finding]:
    """`filesystem` tells of which kind the one is that a folder is on, or None."""
    yield _versions()
    yield from _folder(settings, filesystem)
    yield _open_files()
    yield _secret(settings)
    yield _registration(settings)
    yield _durability(settings)


def _versions() -> Finding:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    python = ".".join(map(str, sys.version_info[:3]))
    told = f"docstore {version('docstore')}, Python {python}, SQLite {sqlite3.sqlite_version}"
    return Finding("versions", Level.OK, f"{told}, {libraries}")


def _folder(settings: Settings, filesystem: _Filesystem) -> Iterator[Finding]:
    folder = settings.data_dir.absolute()
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        advice = f"{there} is no folder that can be written to; DOCSTORE_DATA_DIR names another"
        yield Finding("data directory", Level.FAILED, advice)
        return
    yield _data_directory(folder)
    yield _space(there)
    if (status := os.statvfs(there)).f_files:  # some file systems have no fixed number
        level = Level.WARNING if status.f_favail < FEW_INODES else Level.OK
        yield Finding("inodes", level, f"{status.f_favail} free")
    yield _file_system(settings, filesystem(there) or "unknown")


def _data_directory(folder: Path) -> Finding:
    if folder.exists() and (mode := stat.S_IMODE(folder.stat().st_mode)) & 0o077:
        advice = f"{folder} is open to others (mode {mode:04o}): chmod 700 it"
        return Finding("data directory", Level.WARNING, advice)
    return Finding("data directory", Level.OK, str(folder))


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    level = Level.WARNING if free < LITTLE_SPACE else Level.OK
    return Finding("space", level, f"{free / 1024**3:.1f} GiB free")


def _file_system(settings: Settings, kind: str) -> Finding:
    if kind in ON_A_NETWORK and not settings.database_url:
        advice = (
            f"{kind}: SQLite's locks are not to be trusted on a network; use a local disk, "
            "or DOCSTORE_DATABASE_URL"
        )
        return Finding("file system", Level.WARNING, advice)
    return Finding("file system", Level.OK, kind)


def _open_files() -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FEW_FILES:
        return Finding("open files", Level.WARNING, f"{soft} at once; `ulimit -n` raises it")
    return Finding("open files", Level.OK, f"{soft} at once")


def _secret(settings: Settings) -> Finding:
    """Whoever has it, or guesses it, is everybody. That it is long enough, the settings see to."""
    if settings.jwt_secret:
        if is_guessable(settings.jwt_secret):
            level = Level.FAILED if is_refused(settings) else Level.WARNING
            return Finding("secret", level, f"DOCSTORE_JWT_SECRET can be guessed; {ADVICE}")
        return Finding("secret", Level.OK, "given by DOCSTORE_JWT_SECRET")
    if settings.is_shared:
        advice = "each machine makes its own; DOCSTORE_JWT_SECRET, the same for all, ends that"
        return Finding("secret", Level.WARNING, advice)
    file = settings.secret_file
    if not file.exists():
        return Finding("secret", Level.OK, "none yet; the first start makes one")
    if (mode := stat.S_IMODE(file.stat().st_mode)) & 0o077:
        advice = f"{file} is open to others (mode {mode:04o}): chmod 600 it"
        return Finding("secret", Level.FAILED, advice)
    return Finding("secret", Level.OK, f"made at random, in {file}")


def _registration(settings: Settings) -> Finding:
    if settings.registration == "closed":
        return Finding("registration", Level.OK, "closed")
    if not settings.is_public:
        return Finding(
            "registration", Level.OK, f"open, and only to this machine ({settings.host})"
        )
    advice = f"open to all who reach {settings.host}; DOCSTORE_REGISTRATION=closed ends that"
    return Finding("registration", Level.WARNING, advice)


def _durability(settings: Settings) -> Finding:
    if settings.durability == "full":
        return Finding("durability", Level.OK, "full")
    return Finding("durability", Level.WARNING, "relaxed: a power cut may lose the last uploads")
