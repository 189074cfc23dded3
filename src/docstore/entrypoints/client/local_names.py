"""What a file is called on this machine. A server's word for it may be anything."""

import re
import unicodedata
from typing import Final

MAX_BYTES: Final = 200  # of a name; file systems take 255, and `.part` is added

_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_UNSAFE: Final = frozenset('<>:"/\\|?*')


def local_name(told: str, otherwise: str) -> str:
    """A name of one part that hides nothing and means nothing to a system; `otherwise` when
    nothing is left of `told`.
    """
    last = re.split(r"[/\\]", told)[-1]
    kept = "".join("_" if c in _UNSAFE else c for c in last if _is_shown(c))
    kept = re.sub(r"^\.+", "_", kept.strip().rstrip("."))
    if not kept.strip("_ "):
        return otherwise
    if _RESERVED.fullmatch(kept):
        kept = f"_{kept}"
    return _shortened(kept)


def _is_shown(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _shortened(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode()) > 20:
        stem, dot, ending = name, "", ""
    room = MAX_BYTES - len(f"{dot}{ending}".encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + ending
