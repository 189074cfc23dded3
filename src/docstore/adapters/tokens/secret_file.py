"""The secret that signs tokens, when nobody has given one: made once, kept in a file."""

import os
import secrets
import stat
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

BITS: Final = 256
_SHARED: Final = stat.S_IRWXG | stat.S_IRWXO


class UnsafeSecretFile(ValueError):
    """The file is open to others, or holds too little to be a secret."""


def load_or_make(path: Path) -> str:
    """The secret in `path`, made first (mode 0600, durably) when there is none.

    Processes that start at once end with the same one. Raises UnsafeSecretFile, and OSError when
    the folder cannot be written.
    """
    try:
        return _load(path)
    except FileNotFoundError:
        _make(path)
        return _load(path)


def _load(path: Path) -> str:
    with path.open(encoding="ascii", errors="replace") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        secret = file.read().strip()
    if mode & _SHARED:
        raise UnsafeSecretFile(f"{path} is open to others (mode {mode:04o}): chmod 600 {path}")
    if len(secret) < BITS // 8:
        raise UnsafeSecretFile(f"{path} holds no secret; delete it and a new one is made")
    return secret


def _make(path: Path) -> None:
    """Written whole under a name of its own, then linked: nobody reads half a secret, and of
    several that do this at once one wins.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as draft:  # mode 0600
        draft.write(secrets.token_urlsafe(BITS // 8))
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
