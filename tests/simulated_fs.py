"""A disk in memory that forgets, in a crash, what was not synced."""

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias

from docstore.adapters.storage.filesystem.fsops import Entry, Status

ROOT: Final = Path("/store")
MOMENT: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Crash(Exception):
    """The machine lost its power."""


@dataclass(eq=False)
class _File:
    data: bytes = b""
    synced: bytes = b""


@dataclass(eq=False)
class _Folder:
    names: "dict[str, _Node]" = field(default_factory=dict)
    synced: "dict[str, _Node]" = field(default_factory=dict)


_Node: TypeAlias = _File | _Folder
_Change: TypeAlias = tuple[_Folder, str, _Node | None]  # None: the name is gone


class SimFs:
    """Holds what programs see apart from what the disk would still know.

    Names reach the disk only by `fsync_dir`, bytes only by `fsync`. Each call that changes names
    is one change, of which the disk keeps all or nothing; which of those that are not synced it
    keeps, the test says. After `crash_at` calls every call raises Crash.
    """

    def __init__(self, crash_at: int | None = None) -> None:
        self.calls: list[str] = []
        self.crash_at = crash_at
        self._top = _Folder()
        self._created: list[_File] = []
        self._unsynced: list[list[_Change]] = []
        self._open: dict[int, _File] = {}
        self._fds = count(3)

    @property
    def unsynced(self) -> int:
        """How many changes of names a crash may keep or lose."""
        return len(self._unsynced)

    @property
    def shares(self) -> Sequence[float]:
        """Of the bytes of each file that are not synced, what a crash may keep: none, some, all."""
        is_dirty = any(file.data != file.synced for file in self._created)
        return (0.0, 0.5, 1.0) if is_dirty else (0.0,)

    def after_power_loss(self, keep: Iterable[bool], share: float = 0.0) -> "SimFs":
        """The disk as another machine finds it; `keep` says which unsynced changes it knew, and
        `share` how much of the unsynced bytes.
        """
        known: dict[_Folder, dict[str, _Node]] = {}
        for kept, changes in zip(keep, self._unsynced, strict=True):
            for folder, name, node in changes if kept else ():
                _set(known.setdefault(folder, dict(folder.synced)), name, node)
        found = SimFs()
        found._top = _copied(self._top, known, share)
        return found

    def files(self) -> dict[str, bytes]:
        """What programs see: each path below the root, with its bytes."""
        return dict(_walk(self._top, ""))

    def create(self, path: Path) -> int:
        with self._call("create"):
            folder = self._folder(path.parent)
            if path.name in folder.names:
                raise _error(errno.EEXIST)
            file = _File()
            self._created.append(file)
            self._change((folder, path.name, file))
            return self._descriptor(file)

    def open(self, path: Path) -> int:
        with self._call("open"):
            return self._descriptor(self._file(path))

    def writev(self, fd: int, buffers: Sequence[memoryview]) -> int:
        with self._call("writev"):
            new = b"".join(buffers)
            self._open[fd].data += new
            return len(new)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        with self._call("pread"):
            return self._open[fd].data[offset : offset + size]

    def pread_cached(self, fd: int, size: int, offset: int) -> bytes:
        return b""

    def fsync(self, fd: int) -> None:
        with self._call("fsync"):
            self._open[fd].synced = self._open[fd].data

    def close(self, fd: int) -> None:
        with self._call("close"):
            del self._open[fd]

    def link(self, source: Path, target: Path) -> None:
        with self._call("link"):
            file = self._file(source)
            folder = self._folder(target.parent)
            if target.name in folder.names:
                raise _error(errno.EEXIST)
            self._change((folder, target.name, file))

    def rename(self, source: Path, target: Path) -> None:
        with self._call("rename"):
            file = self._file(source)
            old, new = self._folder(source.parent), self._folder(target.parent)
            if new.names.get(target.name) is not file:  # else POSIX does nothing
                self._change((old, source.name, None), (new, target.name, file))

    def unlink(self, path: Path) -> None:
        with self._call("unlink"):
            self._file(path)
            self._change((self._folder(path.parent), path.name, None))

    def mkdir(self, path: Path) -> None:
        with self._call("mkdir"):
            folder = self._folder(path.parent)
            if path.name in folder.names:
                raise _error(errno.EEXIST)
            self._change((folder, path.name, _Folder()))

    def rmdir(self, path: Path) -> None:
        with self._call("rmdir"):
            if self._folder(path).names:
                raise _error(errno.ENOTEMPTY)
            self._change((self._folder(path.parent), path.name, None))

    def fsync_dir(self, path: Path) -> None:
        with self._call("fsync_dir"):
            folder = self._folder(path)
            for changes in self._unsynced:
                if any(changed is folder for changed, _, _ in changes):
                    for changed, name, node in changes:
                        _set(changed.synced, name, node)
            self._unsynced = [
                changes
                for changes in self._unsynced
                if all(changed is not folder for changed, _, _ in changes)
            ]

    def stat(self, path: Path) -> Status:
        with self._call("stat"):
            node = self._node(path)
            if isinstance(node, _File):
                return Status(is_file=True, size=len(node.data), changed_at=MOMENT)
            return Status(is_file=False, size=0, changed_at=MOMENT)

    def scandir(self, path: Path) -> Iterable[Entry]:
        with self._call("scandir"):
            names = self._folder(path).names
            return [Entry(name, isinstance(node, _Folder)) for name, node in names.items()]

    def note(self, what: str) -> None:
        """Something else that the machine does, such as a commit: a moment for a crash like any."""
        with self._call(what):
            return

    @contextmanager
    def _call(self, name: str) -> Iterator[None]:
        if self.crash_at is not None and len(self.calls) >= self.crash_at:
            raise Crash
        self.calls.append(name)
        yield

    def _change(self, *changes: _Change) -> None:
        for folder, name, node in changes:
            _set(folder.names, name, node)
        self._unsynced.append([*changes])

    def _descriptor(self, file: _File) -> int:
        fd = next(self._fds)
        self._open[fd] = file
        return fd

    def _node(self, path: Path) -> _Node:
        node: _Node = self._top
        for part in path.relative_to(ROOT).parts:
            if isinstance(node, _File):
                raise _error(errno.ENOTDIR)
            if part not in node.names:
                raise _error(errno.ENOENT)
            node = node.names[part]
        return node

    def _file(self, path: Path) -> _File:
        node = self._node(path)
        if isinstance(node, _Folder):
            raise _error(errno.EISDIR)
        return node

    def _folder(self, path: Path) -> _Folder:
        node = self._node(path)
        if isinstance(node, _File):
            raise _error(errno.ENOTDIR)
        return node


def _copied(folder: _Folder, known: dict[_Folder, dict[str, _Node]], share: float) -> _Folder:
    names = {
        name: _copied(node, known, share) if isinstance(node, _Folder) else _survivor(node, share)
        for name, node in known.get(folder, folder.synced).items()
    }
    return _Folder(names, dict(names))


def _survivor(file: _File, share: float) -> _File:
    kept = len(file.synced) + int(share * (len(file.data) - len(file.synced)))
    return _File(file.data[:kept], file.data[:kept])


def _set(names: dict[str, _Node], name: str, node: _Node | None) -> None:
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


def _walk(folder: _Folder, inside: str) -> Iterator[tuple[str, bytes]]:
    for name, node in folder.names.items():
        if isinstance(node, _File):
            yield inside + name, node.data
        else:
            yield from _walk(node, f"{inside}{name}/")


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
