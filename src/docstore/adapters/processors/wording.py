"""What a library says of a broken file, without what it says of the machine that it runs on."""

import re
from typing import Final

MAX_MESSAGE: Final = 1000  # characters

_OBJECT: Final = re.compile(r"<[^<>]{0,200}>|\b0x[0-9a-f]+|[<>]", re.I)
_PATH: Final = re.compile(r"(?<![\w.])/[\w.+-]+(/[\w.+-]*)+")


def discreet(message: str) -> str:
    """Without representations of objects, addresses in memory and paths."""
    told = _PATH.sub("", _OBJECT.sub("", message))
    return " ".join(told.split())[:MAX_MESSAGE]
