"""MinIO, on one folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integration.services.processes import answers, free_port, process
from integration.services.programs import program
from integration.services.s3 import ACCESS_KEY, SECRET_KEY, S3Server


@contextmanager
def minio(folder: Path, *, port: int | None = None) -> Iterator[S3Server]:
    """Skips the test where it cannot be had. With the same `folder` and `port` it starts anew."""
    binary = program("minio")
    server = S3Server("minio", port or free_port())
    data = folder / "minio"
    data.mkdir(exist_ok=True)
    words: list[str | Path] = [
        binary, "server", "--quiet", "--address", server.endpoint,
        "--console-address", f"127.0.0.1:{free_port()}", data,
    ]  # fmt: skip
    environment = {
        **os.environ,
        "MINIO_ROOT_USER": ACCESS_KEY,
        "MINIO_ROOT_PASSWORD": SECRET_KEY,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    health = f"http://{server.endpoint}/minio/health/ready"
    with process(
        words,
        log=folder / "minio.log",
        is_ready=lambda: answers(health),
        environment=environment,
    ):
        yield server
