"""Finding blobs by the beginning of their keys, without walking past what cannot match; and
what dead writers left.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from docstore.adapters.storage.filesystem.errors import ABSENT
from docstore.adapters.storage.filesystem.fsops import Entry, FsOps
from docstore.adapters.storage.filesystem.layout import (
    folder_of,
    is_part,
    shard,
    shard_of_prefix,
    split_prefix,
)
from docstore.application.ports.blob_store import BlobInfo


def blobs(fs: FsOps, root: Path, prefix: str) -> Iterator[BlobInfo]:
    """Every blob whose key begins with `prefix`; blocks as it goes."""
    parts, begun = split_prefix(prefix)
    folder = folder_of(root, parts)
    if len(parts) == 1:
        yield from _in_area(fs, folder, parts[0], begun)
    else:
        yield from _in_folder(fs, folder, "/".join(parts), begun)


def remove_old(fs: FsOps, folder: Path, before: datetime) -> int:
    """Remove the files of `folder` that nobody has touched since `before`; tell how many."""
    removed = 0
    for entry in _entries(fs, folder):
        with suppress(FileNotFoundError):  # its writer has just ended
            if fs.stat(folder / entry.name).changed_at <= before:
                fs.unlink(folder / entry.name)
                removed += 1
    return removed


def _in_area(fs: FsOps, area: Path, key: str, begun: str = "") -> Iterator[BlobInfo]:
    only = shard_of_prefix(begun)
    shards = [only] if only else [entry.name for entry in _entries(fs, area)]
    for name in shards:
        for blob in _in_folder(fs, area / name, key, begun):
            if shard(blob.key.split("/")[1]) == name:  # else no key leads to it
                yield blob


def _in_folder(fs: FsOps, folder: Path, key: str, begun: str = "") -> Iterator[BlobInfo]:
    for entry in _entries(fs, folder):
        if entry.name.startswith(begun):
            inner = f"{key}/{entry.name}" if key else entry.name
            yield from _at(fs, folder / entry.name, inner, entry)


def _at(fs: FsOps, path: Path, key: str, entry: Entry) -> Iterator[BlobInfo]:
    if not entry.is_folder:
        yield from _blob(fs, path, key)
    elif "/" not in key:
        yield from _in_area(fs, path, key)
    else:
        yield from _in_folder(fs, path, key)


def _blob(fs: FsOps, path: Path, key: str) -> Iterator[BlobInfo]:
    with suppress(FileNotFoundError):  # deleted meanwhile
        status = fs.stat(path)
        if status.is_file:
            yield BlobInfo(key, status.size, status.changed_at)


def _entries(fs: FsOps, folder: Path) -> Iterator[Entry]:
    """Each name once, also when a file is replaced under it meanwhile. Names that stand in no
    key are not docstore's, or not whole yet.
    """
    try:
        found = {entry.name: entry for entry in fs.scandir(folder) if is_part(entry.name)}
    except OSError as error:
        if error.errno not in ABSENT:
            raise
        return
    yield from found.values()
