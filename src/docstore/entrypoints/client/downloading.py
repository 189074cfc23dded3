"""Originals on their way from a docstore: what was cut is gone on with, and all is checked."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import IO, Final

from docstore.entrypoints.client.errors import Changed, Refused, Unreachable
from docstore.entrypoints.client.places import of_file
from docstore.entrypoints.client.retrying import PATIENT, back_off
from docstore.entrypoints.client.session import Json, Session

PIECE: Final = 1024 * 1024  # bytes

Got = Callable[[int], None]
"""Told how many bytes of the file are there."""


async def download(
    session: Session, view: Json, target: Path, got: Got, *, force: bool = False
) -> None:
    """The original of `view` at `target`, whole or not at all.

    What comes is kept beside it as `<name>.<sha256>.part`, and gone on with next time. Raises
    FileExistsError unless `force`; Changed when the bytes are not what their checksum says.
    """
    if not force and await asyncio.to_thread(os.path.lexists, target):
        raise FileExistsError(0, "is there already; --force writes over it", str(target))
    part = target.with_name(f"{target.name}.{view['sha256'][:16]}.part")
    await _fetch(session, view, part, got)
    if await asyncio.to_thread(_sha256, part) != view["sha256"]:
        await asyncio.to_thread(part.unlink)
        raise _changed(view)
    await asyncio.to_thread(_publish, part, target, force)


async def write_to(session: Session, view: Json, file: IO[bytes]) -> None:
    """The original, to a pipe: it cannot be taken back, so a wrong one is only told."""
    digest = sha256()
    async with session.stream(of_file(view["id"], "content"), {}) as answer:
        async for piece in answer.aiter_raw(PIECE):
            digest.update(piece)
            await asyncio.to_thread(file.write, piece)
    await asyncio.to_thread(file.flush)
    if digest.hexdigest() != view["sha256"]:
        raise _changed(view)


async def _fetch(session: Session, view: Json, part: Path, got: Got) -> None:
    """All of it, in as many requests as it takes; so many in a row may bring nothing."""
    tried = 0
    while (before := _size(part)) != view["size"]:
        try:
            await _append(session, view, part, got, start=before)
        except Unreachable:
            tried = tried + 1 if _size(part) == before else 1
            if tried == PATIENT:
                raise
            await session.pause(back_off(tried))
        except Refused as error:
            if error.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not before:
                raise
            await asyncio.to_thread(part.unlink)  # longer than it can be
    got(view["size"])


async def _append(session: Session, view: Json, part: Path, got: Got, *, start: int) -> None:
    headers = {"Range": f"bytes={start}-", "If-Range": f'"{view["sha256"]}"'} if start else {}
    place = of_file(view["id"], "content")
    async with session.stream(place, headers, tries=PATIENT) as answer:
        there = start if answer.status_code == HTTPStatus.PARTIAL_CONTENT else 0
        file = await asyncio.to_thread(_opened, part, is_new=not there)
        with file:
            try:
                async for piece in answer.aiter_raw():  # as it comes: what is cut keeps all of it
                    there += len(piece)
                    if there > view["size"]:  # whoever sends without an end fills no disk
                        raise _changed(view)
                    file.write(piece)
                    got(there)
            finally:
                await asyncio.to_thread(_synced, file)


def _opened(part: Path, *, is_new: bool) -> IO[bytes]:
    """Never through a link that somebody else may have put there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    flags |= os.O_TRUNC if is_new else os.O_APPEND
    return os.fdopen(os.open(part, flags, 0o666), "wb" if is_new else "ab", PIECE)


def _synced(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.lstat().st_size
    return 0


def _sha256(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _publish(part: Path, target: Path, force: bool) -> None:
    if force:
        part.replace(target)
        return
    try:
        os.link(part, target)  # which never writes over anything, unlike a rename
    except FileExistsError:
        raise
    except OSError:  # no links on FAT, nor on some shares: the name is taken first, then filled
        target.open("xb").close()
        part.replace(target)
    else:
        part.unlink()


def _changed(view: Json) -> Changed:
    return Changed(f"what came of {view['id']} is not what its checksum says")
