"""A processor that takes its time, installed as anybody's would be."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SOURCE: Final = """
import time
from docstore.application.ports.processor import Findings, Limits

class Sleeper:
    name, version, limits = "sleeper", "1", Limits(seconds=60)

    def __init__(self, options): ...

    def accepts(self, media_type):
        return media_type == "text/plain"

    def extract(self, body, subject):
        time.sleep({seconds})
        return Findings()
"""


def with_sleeper(packages: Path, *, seconds: float) -> Mapping[str, str]:
    """The environment of a docstore that has it, for plain text; `packages` is made for it."""
    about = packages / "sleeper-1.0.dist-info"
    about.mkdir(parents=True)
    (packages / "sleeper.py").write_text(SOURCE.format(seconds=seconds))
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: sleeper\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[docstore.processors]\nsleeper = sleeper:Sleeper\n")
    path = (str(packages), os.environ.get("PYTHONPATH", ""))
    return {"PYTHONPATH": os.pathsep.join(filter(None, path))}
