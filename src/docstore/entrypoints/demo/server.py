"""A real `docstore serve` as a child process, on a free port."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

STOP_SECONDS: Final = 45.0  # longer than `serve` takes to drain

_EMBEDDED: Final[Mapping[str, str]] = {
    "DOCSTORE_DATABASE_URL": "",
    "DOCSTORE_STORAGE_URL": "",
    "DOCSTORE_QUEUE_URL": "",
    "DOCSTORE_HOST": "127.0.0.1",
    "DOCSTORE_REGISTRATION": "open",
}
"""Whatever this machine is set to, the demo stays in its folder and on this machine."""


class ServeFailed(Exception):
    """It did not come up; the message is its own last word."""


@contextmanager
def served(data_dir: Path, log: Path) -> Iterator[str]:
    """The URL of a server on `data_dir`, which is told to stop on leaving; it logs to `log`."""
    with log.open("wb") as complaints:
        process = _start(data_dir, complaints)
    with process:
        try:
            yield _url(process, log)
        finally:
            _stop(process)


def _start(data_dir: Path, complaints: IO[bytes]) -> subprocess.Popen[str]:
    program = (sys.executable, "-P", "-m", "docstore.entrypoints.cli", "serve")
    options = ("--port", "0", "--json", "--parent", str(os.getpid()))
    return subprocess.Popen(
        [*program, *options, "--data-dir", str(data_dir)],
        env={**os.environ, **_EMBEDDED},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=complaints,
        process_group=0,  # Ctrl-C is for the demo, which then stops its server
        text=True,
    )


def _url(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        said = log.read_text(errors="replace").strip().splitlines()
        last = said[-1] if said else "the server ended without a word"
        raise ServeFailed(last.removeprefix("docstore: "))
    return str(json.loads(line)["url"])


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
