"""PostgreSQL, MinIO and Redis, started for one run as tests start them.

Their data lies in memory where it can; nothing waits for a disk, as nothing does in the targets
that they are compared with.
"""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from minio import Minio

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from integration.services.minio import minio
from integration.services.postgresql import Postgresql, postgresql
from integration.services.redis import Redis, redis
from integration.services.s3 import ACCESS_KEY, SECRET_KEY, S3Server

CONNECTIONS: Final = "400"  # to PostgreSQL, of all processes of all targets
SECRET: Final = "the same secret at every one of them"


@dataclass(frozen=True, slots=True)
class Services:
    """They hold any number of stores."""

    database: Postgresql
    queue: Redis
    store: S3Server
    trash: Path  # of `store`

    def settings(self, name: str) -> Mapping[str, str]:
        """Of a new and empty store."""
        return {
            "DOCSTORE_DATABASE_URL": self.database.new_database(),
            "DOCSTORE_QUEUE_URL": self.queue.url,
            "DOCSTORE_REDIS_PREFIX": name,
            "DOCSTORE_JWT_SECRET": SECRET,
            **self.files(name),
        }

    def files(self, name: str) -> Mapping[str, str]:
        """Of a new and empty store whose files alone are there."""
        return {"DOCSTORE_STORAGE_URL": self.store.url(name, staging=f"{name}-new")}

    def client(self) -> Minio:
        """The SDK's, by itself."""
        return Minio(self.store.endpoint, ACCESS_KEY, SECRET_KEY, secure=False)

    def make_room(self) -> None:
        """MinIO keeps what is deleted for five minutes, which would fill the memory meanwhile."""
        for deleted in self.trash.glob("*"):
            shutil.rmtree(deleted, ignore_errors=True)


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    """Ended on leaving. Exits when one of them cannot be had."""
    with (
        _needed(),
        postgresql(max_connections=CONNECTIONS) as database,
        redis() as queue,
        minio(folder) as store,
    ):
        yield Services(database, queue, store, folder / "minio/.minio.sys/tmp/.trash")


@contextmanager
def database() -> Iterator[Postgresql]:
    """PostgreSQL alone, as it comes. Exits when it cannot be had."""
    with _needed(), postgresql() as server:
        yield server


@contextmanager
def _needed() -> Iterator[None]:
    """Where a test is skipped for want of a server, a benchmark exits."""
    try:
        yield
    except pytest.skip.Exception as missing:
        raise SystemExit(str(missing)) from None
