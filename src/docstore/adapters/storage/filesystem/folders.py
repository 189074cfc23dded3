"""Folders that come and go with what is in them, while several writers use them at once."""

import errno
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from docstore.adapters.storage.filesystem.fsops import FsOps

_PERMANENT = 2  # levels below the root: areas and shards. Few, so they are never removed.
_TRIES = 20


class Folders:
    """Names files durably below `root`, which it never makes itself: a disk that is not mounted
    must not pass for an empty store.
    """

    def __init__(self, fs: FsOps, root: Path, *, durable: bool) -> None:
        self._fs = fs
        self._root = root
        self._durable = durable
        self._safe: set[Path] = set()  # permanent ones whose own names survive power loss

    def move(self, source: Path, target: Path) -> None:
        """Rename the file `source`, replacing `target`; make the folders that are missing."""
        for _ in range(_TRIES):
            try:
                self._fs.rename(source, target)
            except FileNotFoundError:  # no folder yet, or a delete has just taken it away
                self._make(target.parent)
            else:
                break
        else:
            raise OSError(errno.ESTALE, "its folder, or what was written, vanished", str(target))
        if self._durable:
            self._sync(target.parent)

    def prune(self, folder: Path) -> None:
        """Remove `folder`, and those around it, as long as they are empty."""
        with suppress(OSError):  # not empty, or somebody was faster
            for empty in self._up_from(folder):
                if len(empty.relative_to(self._root).parts) <= _PERMANENT:
                    break
                self._fs.rmdir(empty)

    def _make(self, folder: Path) -> None:
        for missing in reversed([*self._up_from(folder)]):
            try:
                self._fs.mkdir(missing)
            except FileExistsError:
                pass
            except FileNotFoundError:
                self._fs.stat(self._root)  # gone: no use in trying again
                return

    def _sync(self, folder: Path) -> None:
        """Also the folders around it, found or made: who made them may not have synced yet."""
        walked = [*self._up_from(folder)]
        for changed in walked:
            with suppress(FileNotFoundError):  # deleted already, with what was moved there
                self._fs.fsync_dir(changed)
            if changed in self._safe:
                break
        else:
            self._fs.fsync_dir(self._root)
        self._safe.update(walked[-_PERMANENT:])

    def _up_from(self, folder: Path) -> Iterator[Path]:
        """`folder` and those around it, without the root."""
        while folder != self._root:
            yield folder
            folder = folder.parent
