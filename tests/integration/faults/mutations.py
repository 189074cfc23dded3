"""Files as a bad disk, a cut transfer, or somebody who means harm would leave them."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

MOST_BITS: Final = 32
MOST_MOVED: Final = 4096  # bytes
NUMBERS: Final = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")
"""What lengths and offsets break at."""


def mutated(data: bytes, others: Sequence[bytes], dice: Random) -> bytes:
    """Something else than `data`, never empty. `others` are files that pieces may come from."""
    kinds: Sequence[Callable[[], bytes]] = (
        lambda: _flipped(data, dice),
        lambda: _cut(data, dice),
        lambda: _spliced(data, data, dice),
        lambda: _spliced(data, dice.choice(others), dice),
        lambda: _numbered(data, dice),
    )
    return dice.choice(kinds)() or b"\0"


def _flipped(data: bytes, dice: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randint(1, MOST_BITS)):
        changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _cut(data: bytes, dice: Random) -> bytes:
    """The end is gone, or a piece in the middle."""
    start = dice.randrange(len(data))
    if dice.random() < 0.5:
        return data[:start]
    return data[:start] + data[start + dice.randint(1, MOST_MOVED) :]


def _spliced(data: bytes, other: bytes, dice: Random) -> bytes:
    """A piece of another file in place of as much, or between."""
    source, target = dice.randrange(len(other)), dice.randrange(len(data))
    piece = other[source : source + dice.randint(1, MOST_MOVED)]
    kept = target + (len(piece) if dice.random() < 0.5 else 0)
    return data[:target] + piece + data[kept:]


def _numbered(data: bytes, dice: Random) -> bytes:
    """A number that is as large as can be, where there may be one."""
    number = dice.choice(NUMBERS)[: dice.choice((2, 4))]
    place = dice.randrange(len(data))
    return data[:place] + number + data[place + len(number) :]
