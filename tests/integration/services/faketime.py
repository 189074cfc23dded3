"""A clock of its own for a process, by libfaketime."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from integration.services.programs import missing

_PLACES: Final = ("usr/lib/*/faketime", "usr/lib/faketime", "usr/local/lib/faketime")

# libfaketime 0.9.10 takes the offset off the monotonic deadline of `clock_nanosleep`, also when
# that clock is left alone, and the kernel refuses what is left. Python sleeps by that call alone.
_SLEEP: Final = """
import select, time
time.sleep = lambda seconds: select.select((), (), (), seconds) and None
"""


def faketime(offset: str, packages: Path, environment: Mapping[str, str]) -> Mapping[str, str]:
    """`environment` for a process whose calendar clock is `offset` ahead, such as "+1h" or "-1h".
    Its monotonic clock, by which it waits, is the machine's. `packages`, which is made, is where
    it finds a sleep that libfaketime does not break.
    """
    found = [
        library for place in _PLACES for library in Path("/").glob(f"{place}/libfaketime.so.1")
    ]
    if not found:
        missing("faketime", "no libfaketime.so.1; the package faketime of Debian has it")
    packages.mkdir(parents=True, exist_ok=True)
    (packages / "sitecustomize.py").write_text(_SLEEP)
    path = filter(None, (str(packages), environment.get("PYTHONPATH", "")))
    return {
        **environment,
        "LD_PRELOAD": str(found[0]),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": os.pathsep.join(path),
    }
