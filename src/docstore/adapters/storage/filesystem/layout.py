"""Which file holds which key.

    <root>/<part>                               a key of one part
    <root>/<area>/<shard>/<name>/<part>/...     a key of more: `files/0190.../1/original`
    <root>/.incoming~/<random>                  what is being written

The shard, one of 256, keeps a folder from holding a million entries. It is made from the first
characters of the name only, so that a prefix which holds a whole id leads to one shard. Since `~`
stands in no key, nothing that is stored meets what is on its way.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Final
from zlib import crc32

INCOMING: Final = ".incoming~"

_PART = re.compile(r"[a-z0-9._-]{1,255}")
_KEY = re.compile(r"[a-z0-9._-]{1,255}(?:/[a-z0-9._-]{1,255})*")
_PREFIX = re.compile(r"(?:[a-z0-9._-]{1,255}/)*[a-z0-9._-]{0,255}")
_LONGEST_KEY = 512
_ID = 36  # characters

KNOWN: Final = 1024  # paths that are not made anew: who looks at a blob reads it next


def shard(name: str) -> str:
    """The folder, in an area, for `name`. Not the name's own last letters: they may be `..`."""
    return f"{crc32(name[:_ID].encode()) & 0xFF:02x}"


def shard_of_prefix(name: str) -> str | None:
    """The only shard that can hold a name beginning so, when there is only one."""
    return shard(name) if len(name) >= _ID else None


def is_part(name: str) -> bool:
    """Whether `name` may stand in a key."""
    return _PART.fullmatch(name) is not None


@lru_cache(KNOWN)
def path_of(root: Path, key: str) -> Path:
    """The file for `key`; ValueError for a key that the port does not allow."""
    if not _KEY.fullmatch(key) or len(key) > _LONGEST_KEY or _climbs(key.split("/")):
        raise ValueError(f"{key!r} is not a key of a blob")
    return folder_of(root, key.split("/"))


def folder_of(root: Path, parts: list[str]) -> Path:
    """The folder of the keys that begin with these parts."""
    if len(parts) < 2:
        return root.joinpath(*parts)
    return root.joinpath(parts[0], shard(parts[1]), *parts[1:])


def split_prefix(prefix: str) -> tuple[list[str], str]:
    """The whole parts of a prefix of keys, and the beginning of a part after them."""
    *parts, begun = prefix.split("/")
    if not _PREFIX.fullmatch(prefix) or _climbs(parts):
        raise ValueError(f"{prefix!r} begins no key of a blob")
    return parts, begun


def _climbs(parts: list[str]) -> bool:
    return not {".", ".."}.isdisjoint(parts)
