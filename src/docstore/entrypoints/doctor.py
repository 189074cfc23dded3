"""Is this installation fit for files? One finding for each thing that is looked at."""

import os
import resource
import shutil
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from docstore.application.docstore import Docstore
from docstore.container import Container, migrate, running
from docstore.domain.confinement import Confinement
from docstore.domain.errors import DocstoreError
from docstore.domain.lifecycle import FileStatus
from docstore.entrypoints import embedded
from docstore.settings import Settings

LITTLE_SPACE: Final = 1024**3  # bytes
FEW_INODES: Final = 10_000
FEW_FILES: Final = 1024  # open at once
SKEW: Final = timedelta(seconds=2)
ON_A_NETWORK: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph"})
TEXT: Final = b"The lamp was lit at dusk.\n"
PICTURE: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


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


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Everything in turn. Nothing stays changed but a data directory that was not there."""
    for finding in _surroundings(settings):
        yield finding
    async for finding in _parts(settings):
        yield finding
    yield await _look("parsers", lambda: _parsers(settings))


def _surroundings(settings: Settings) -> Iterator[Finding]:
    yield from _folder(settings.data_dir)
    yield _open_files()
    yield _registration(settings)
    yield _durability(settings)


def _folder(folder: Path) -> Iterator[Finding]:
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding("data directory", Level.FAILED, f"{there} cannot be written to")
        return
    yield Finding("data directory", Level.OK, str(folder.absolute()))
    free = shutil.disk_usage(there).free
    level = Level.WARNING if free < LITTLE_SPACE else Level.OK
    yield Finding("space", level, f"{free / 1024**3:.1f} GiB free")
    status = os.statvfs(there)
    if status.f_files:  # some file systems have no fixed number
        level = Level.WARNING if status.f_favail < FEW_INODES else Level.OK
        yield Finding("inodes", level, f"{status.f_favail} free")
    if (kind := _file_system(there)) in ON_A_NETWORK:
        advice = f"{kind}: SQLite's locks do not hold on a network; use a local disk"
        yield Finding("file system", Level.FAILED, advice)
    else:
        yield Finding("file system", Level.OK, kind)


def _file_system(folder: Path) -> str:
    """As the kernel calls it (proc(5), mountinfo); `unknown` where it does not tell."""
    device = os.stat(folder).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return "unknown"
    for line in lines:
        before, _, after = line.partition(" - ")
        if before.split()[2] == wanted:
            return after.split()[0]
    return "unknown"


def _open_files() -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FEW_FILES:
        return Finding("open files", Level.WARNING, f"{soft} at once; `ulimit -n` raises it")
    return Finding("open files", Level.OK, f"{soft} at once")


def _registration(settings: Settings) -> Finding:
    if settings.registration == "closed":
        return Finding("registration", Level.OK, "closed")
    if _is_loopback(settings.host):
        return Finding(
            "registration", Level.OK, f"open, and only to this machine ({settings.host})"
        )
    advice = f"open to all who reach {settings.host}; DOCSTORE_REGISTRATION=closed ends that"
    return Finding("registration", Level.WARNING, advice)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _durability(settings: Settings) -> Finding:
    if settings.durability == "full":
        return Finding("durability", Level.OK, "full")
    return Finding("durability", Level.WARNING, "relaxed: a power cut may lose the last uploads")


async def _parts(settings: Settings) -> AsyncIterator[Finding]:
    container = Container(settings=settings)
    opened = await _look("migrations", lambda: _migrated(container))
    yield opened
    if opened.level is Level.FAILED:
        return
    async with running(container, worker=False) as docstore:
        for part, answer in (await docstore.check_health()).items():
            yield Finding(part, Level.OK if answer == "ok" else Level.FAILED, answer)
        yield await _look("round trip", lambda: _round_trip(docstore))
        yield await _look("clock", lambda: _clock(docstore))


async def _migrated(container: Container) -> Finding:
    await migrate(container)
    return Finding("migrations", Level.OK, "the database is of this version")


async def _round_trip(docstore: Docstore) -> Finding:
    await docstore.inspect.storage()
    return Finding("round trip", Level.OK, "what the store was given came back")


async def _clock(docstore: Docstore) -> Finding:
    ahead = await docstore.inspect.clock_ahead()
    seconds = ahead.total_seconds()
    if abs(ahead) > SKEW:
        advice = f"{seconds:+.1f} s from the database's; leases would end too early or too late"
        return Finding("clock", Level.WARNING, advice)
    return Finding("clock", Level.OK, f"{seconds:+.3f} s from the database's")


async def _parsers(settings: Settings) -> Finding:
    """A text and a picture, really read, by parsers that are confined as the settings say."""
    scratch = {
        **settings.model_dump(),
        **dict.fromkeys(("database_url", "storage_url", "queue_url"), "memory://"),
    }
    container = Container(settings=Settings(**scratch))
    async with embedded.opened(container) as store:
        me = await store.accounts.ensure("doctor")
        for data, name in ((TEXT, "a.txt"), (PICTURE, "a.png")):
            file = await store.upload(me, data, filename=name)
            file = await store.wait(me, file.id)
            if file.status is not FileStatus.PROCESSED:
                why = file.failure.message if file.failure else f"it is still {file.status}"
                return Finding("parsers", Level.FAILED, f"{name} was not read: {why}")
        return _confined(container.docstore().inspect.confinement())


def _confined(confinement: Confinement | None) -> Finding:
    if confinement is None:
        advice = "they run inside the worker, which a hostile file could take over"
        return Finding("parsers", Level.WARNING, advice)
    level = Level.OK if confinement.is_full else Level.WARNING
    detail = f"a text and a picture were read in the jail, {confinement.detail}"
    return Finding("parsers", level, detail)


async def _look(subject: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await look()
    except (DocstoreError, OSError, ValueError) as error:
        return Finding(subject, Level.FAILED, str(error) or type(error).__name__)
