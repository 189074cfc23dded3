"""docstore on servers: whole, by several processes, and with its files alone on S3."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from services import Services
from targets import PROGRAM, Docstore, environment, first_line, started


class Cluster(Docstore):
    """On PostgreSQL, S3 and Redis: so many API processes behind one port, and as many workers, each
    as it comes."""

    name = "cluster"

    @classmethod
    @contextmanager
    def of(cls, size: int, data: Path, services: Services) -> Iterator[Self]:
        more = {**services.settings(data.name), "DOCSTORE_API_PROCESSES": str(size)}
        with ExitStack() as stack:
            serving = cls.serving(data, durability="relaxed", more=more, options=("--no-worker",))
            target = stack.enter_context(serving)
            for number in range(size):
                folder = data / f"worker-{number}"
                folder.mkdir()
                settings = {**more, "DOCSTORE_DATA_DIR": str(folder)}
                worker = stack.enter_context(
                    started([*PROGRAM, "worker"], folder, environment(settings))
                )
                first_line(worker)
                target.pids.append(worker.pid)
            yield target


class OnS3(Docstore):
    """The embedded default but for its files."""

    services: Services

    @classmethod
    @contextmanager
    def of(cls, data: Path, services: Services) -> Iterator[Self]:
        more = services.files(data.name)
        with cls.serving(data, durability="relaxed", more=more) as target:
            target.services = services
            yield target

    def direct(self, source: Path) -> float:
        """Seconds in which the SDK alone stores a file there. Nothing is left of it."""
        client, bucket = self.services.client(), self.data.name
        began = time.perf_counter()
        client.fput_object(bucket, "direct", str(source))
        taken = time.perf_counter() - began
        client.remove_object(bucket, "direct")
        return taken
