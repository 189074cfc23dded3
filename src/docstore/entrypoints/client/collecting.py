"""Which files are meant by what was typed: files, and folders with all that is in them."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import Final

from docstore.entrypoints.client.uploading import PathSource

NOT_A_FILE: Final = "neither a file nor a folder; `docstore upload - --name NAME` reads a pipe"

Complain = Callable[[Path, Exception], None]
"""Told of each path that there is nothing to upload of, and why."""


def collected(
    paths: Sequence[Path], complain: Complain, *, name: str | None = None, hidden: bool = False
) -> Iterator[PathSource]:
    """A source for each file, in the order given, folders in that of their names.

    Inside of folders links are not followed, pipes and devices are left out, and so is what begins
    with a dot unless it is `hidden`. `name` is for a single file.
    """
    for path in paths:
        if path.is_dir():
            yield from _inside(path, complain, hidden)
        elif (source := _source(path, complain, name)) is not None:
            yield source


def _inside(folder: Path, complain: Complain, hidden: bool) -> Iterator[PathSource]:
    def unread(error: OSError) -> None:
        complain(Path(error.filename), error)

    for root, folders, files in os.walk(folder, onerror=unread):
        folders[:] = sorted(each for each in folders if hidden or not each.startswith("."))
        for each in sorted(files):
            path = Path(root) / each
            wanted = (hidden or not each.startswith(".")) and path.is_file()
            if wanted and not path.is_symlink():
                source = _source(path, complain, None)
                if source is not None:
                    yield source


def _source(path: Path, complain: Complain, name: str | None) -> PathSource | None:
    try:
        status = path.stat()
    except OSError as error:
        complain(path, error)
        return None
    if not S_ISREG(status.st_mode):
        complain(path, OSError(0, NOT_A_FILE, str(path)))
        return None
    return PathSource(path, name or readable(path.name), status.st_size)


def readable(name: str) -> str:
    """A name of this system in Unicode: not every name on disk is UTF-8."""
    return os.fsencode(name).decode(errors="replace")
