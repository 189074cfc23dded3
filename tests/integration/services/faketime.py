"""A clock of its own for a process, by libfaketime."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from integration.services.programs import missing

_PLACES: Final = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime")


def faketime(offset: str) -> Mapping[str, str]:
    """The environment of a process whose clocks are `offset` ahead, such as "+1h" or "-1h". Also the
    monotonic one, which so goes on as before: left alone, it and `clock_nanosleep` differ by the
    offset, and Python's `time.sleep` fails.
    """
    found = [lib for place in _PLACES for lib in Path("/").glob(f"{place[1:]}/libfaketime.so.1")]
    if not found:
        missing("faketime", "no libfaketime.so.1; the package faketime brings it")
    return {"LD_PRELOAD": str(found[0]), "FAKETIME": offset}
