from enum import Enum, auto


class Trouble(Enum):
    """What an error of a database means for who asked, whatever its driver calls it."""

    TAKEN = auto()  # by another row: it must be unique
    NO_PARENT = auto()
    FULL = auto()
    DAMAGED = auto()
    PASSING = auto()  # it may be cured from outside. A broken CHECK may not: that is a bug
