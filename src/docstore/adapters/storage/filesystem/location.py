"""Where a store is: a URL, and the folder it names."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit


def root_of(url: str) -> Path:
    """The folder of `file:///absolute/path`, percent-decoded; ValueError for any other form."""
    parts = urlsplit(url)
    path = unquote(parts.path, errors="strict")
    if parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
        raise ValueError(f"{url!r}: write file:///absolute/path, with ? and # as %3F and %23")
    if parts.scheme != "file" or not path.startswith("/") or not path.strip("/") or "\0" in path:
        raise ValueError(f"{url!r} names no folder: write file:///absolute/path")
    return Path(path)


def make_root(root: Path, *, durable: bool) -> None:
    """Make the folder, and those around it, for nobody else; they survive power loss."""
    missing = [folder for folder in (root, *root.parents) if not folder.exists()]
    for folder in reversed(missing):
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        if durable:
            _sync(folder.parent)
    if not root.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(root))


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
