"""moto: S3 in the memory of a Python program, for tests of programs for AWS."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integration.services.processes import answers, free_port, process
from integration.services.s3 import S3Server


@contextmanager
def moto(folder: Path) -> Iterator[S3Server]:
    """It comes with the dependencies of the tests, so it is never missing."""
    server = S3Server("moto", free_port())
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(server.port)]
    with process(
        words,
        log=folder / "moto.log",
        is_ready=lambda: answers(f"http://{server.endpoint}/"),
        environment={**os.environ, "TMPDIR": str(folder)},
    ):
        yield server
