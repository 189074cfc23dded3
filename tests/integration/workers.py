"""`docstore worker` in a process of its own."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from integration.servers import PROGRAM


@contextmanager
def worker(
    data_dir: Path, *, environment: Mapping[str, str] | None = None, **settings: str
) -> Iterator["subprocess.Popen[str]"]:
    """One that works; killed on leaving unless it has ended. `queue_url="..."` and the like are
    its settings; it does one job at once.
    """
    own = {name: value for name, value in os.environ.items() if "DOCSTORE_" not in name}
    chosen = {f"DOCSTORE_{name.upper()}": value for name, value in settings.items()}
    process = subprocess.Popen(
        [*PROGRAM, "worker", "--data-dir", str(data_dir)],
        env={**own, **(environment or {}), "DOCSTORE_WORKERS": "1", **chosen},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "the worker runs (1 at once)\n"
            yield process
        finally:
            process.kill()
