"""Originals on their way from a docstore: what was cut is gone on with, and all is checked."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final

from docstore.entrypoints.client.errors import Changed, Refused, Unreachable
from docstore.entrypoints.client.session import Json, Session

PIECE: Final = 1024 * 1024  # bytes
TRIES: Final = 5  # in a row without a byte

Got = Callable[[int], None]
"""Told how many bytes of the file are there."""


async def download(
    session: Session, view: Json, target: Path, got: Got, *, force: bool = False
) -> None:
    """The original of `view` at `target`, whole or not at all.

    What comes is kept beside it as `<name>.<sha256>.part`, and gone on with next time. Raises
    FileExistsError unless `force`; Changed when the bytes are not what their checksum says.
    """
    if not force and await asyncio.to_thread(target.exists):
        raise FileExistsError(0, "is there already; --force writes over it", str(target))
    part = target.with_name(f"{target.name}.{view['sha256'][:16]}.part")
    await _fetch(session, view, part, got)
    if await asyncio.to_thread(_sha256, part) != view["sha256"]:
        await asyncio.to_thread(part.unlink)
        raise Changed(f"what came of {view['id']} is not what its checksum says")
    await asyncio.to_thread(_publish, part, target, force)


async def write_to(session: Session, view: Json, file: IO[bytes]) -> None:
    """The original, to a pipe: it cannot be taken back, so a wrong one is only told."""
    digest = sha256()
    try:
        async with session.stream(f"/files/{view['id']}/content", {}) as answer:
            async for piece in answer.aiter_raw(PIECE):
                digest.update(piece)
                await asyncio.to_thread(file.write, piece)
    finally:
        file.flush()
    if digest.hexdigest() != view["sha256"]:
        raise Changed(f"what came of {view['id']} is not what its checksum says")


async def _fetch(session: Session, view: Json, part: Path, got: Got) -> None:
    """All of it, in as many requests as it takes."""
    left = TRIES
    while True:
        before = _size(part)
        if before == view["size"]:
            got(before)
            return
        try:
            await _append(session, view, part, got, start=before)
        except Unreachable:
            left = left - 1 if _size(part) == before else TRIES
            if not left:
                raise
            await session.pause(1.0)
        except Refused as error:
            if error.status != 416:
                raise
            await asyncio.to_thread(part.unlink)  # longer than it can be


async def _append(session: Session, view: Json, part: Path, got: Got, *, start: int) -> None:
    headers = {"Range": f"bytes={start}-", "If-Range": f'"{view["sha256"]}"'} if start else {}
    async with session.stream(f"/files/{view['id']}/content", headers) as answer:
        there = start if answer.status_code == 206 else 0
        file = await asyncio.to_thread(part.open, "ab" if there else "wb", PIECE)
        with file:
            try:
                async for piece in answer.aiter_raw():  # as it comes: what is cut keeps all of it
                    file.write(piece)
                    there += len(piece)
                    got(there)
            finally:
                await asyncio.to_thread(_synced, file)


def _synced(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
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
    os.link(part, target)  # which never writes over anything, unlike a rename
    part.unlink()
