"""versitygw: S3 in front of a folder of plain files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integration.services.processes import answers, free_port, process
from integration.services.programs import program
from integration.services.s3 import ACCESS_KEY, SECRET_KEY, S3Server


@contextmanager
def versitygw(folder: Path) -> Iterator[S3Server]:
    """Skips the test where it cannot be had."""
    binary = program("versitygw")
    server = S3Server("versitygw", free_port())
    data = folder / "versitygw"
    data.mkdir(exist_ok=True)
    words: list[str | Path] = [
        binary, "--port", server.endpoint, "--keep-alive", "--quiet",
        "posix", data,
    ]  # fmt: skip
    environment = {
        **os.environ,
        "ROOT_ACCESS_KEY": ACCESS_KEY,
        "ROOT_SECRET_KEY": SECRET_KEY,
    }
    with process(
        words,
        log=folder / "versitygw.log",
        is_ready=lambda: answers(f"http://{server.endpoint}/"),
        environment=environment,
    ):
        yield server
