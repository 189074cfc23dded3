"""Several servers and workers that share a PostgreSQL, an S3 and a Redis."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Final
from uuid import uuid4

from minio import Minio

from integration.servers import Server
from integration.services.postgresql import Postgresql
from integration.services.redis import Redis
from integration.services.s3 import ACCESS_KEY, SECRET_KEY, S3Server
from integration.workers import worker

SECRET: Final = "the same secret at every one of them"


@dataclass(frozen=True)
class Services:
    """What may hold any number of clusters."""

    database: Postgresql
    queue: Redis
    store: S3Server


@dataclass(frozen=True)
class Cluster:
    """A store of its own in the services. Each who belongs to it has a folder below `folder`."""

    folder: Path
    services: Services
    name: str
    url: str  # of its database
    environment: Mapping[str, str]  # of all who belong to it

    @classmethod
    def new(cls, folder: Path, services: Services, more: Mapping[str, str]) -> "Cluster":
        name, url = f"test-{uuid4()}", services.database.new_database()
        environment = {
            "DOCSTORE_DATABASE_URL": url,
            "DOCSTORE_STORAGE_URL": services.store.url(name, staging=f"{name}-new"),
            "DOCSTORE_QUEUE_URL": services.queue.url,
            "DOCSTORE_REDIS_PREFIX": name,
            "DOCSTORE_REDIS_TIMEOUT": "5",  # the machine may be busy
            "DOCSTORE_JWT_SECRET": SECRET,
        }
        return cls(folder, services, name, url, {**environment, **more})

    @contextmanager
    def server(self, name: str) -> Iterator[Server]:
        """An API without a worker."""
        server = Server(self.folder / name, self.environment, options=("--no-worker",))
        try:
            server.start()
            yield server
        finally:
            server.kill()

    def worker(self, name: str) -> "AbstractContextManager[Popen[str]]":
        return worker(self.folder / name, environment=self.environment)

    def sql(self, statement: str) -> list[str]:
        """The rows, with | between their columns."""
        database = self.url.rpartition("/")[2]
        return self.services.database.sql(statement, database).splitlines()

    def staged(self) -> list[str]:
        """Keys in the staging bucket."""
        return self._keys(f"{self.name}-new")

    def kept(self) -> list[str]:
        """Keys in the permanent bucket."""
        return self._keys(self.name)

    def unfinished(self) -> list[str]:
        """Keys of uploads that were begun in either bucket, and neither completed nor aborted."""
        found = [self._client()._list_multipart_uploads(each) for each in self._buckets]
        return [str(upload.object_name) for each in found for upload in each.uploads]

    @property
    def _buckets(self) -> Sequence[str]:
        return self.name, f"{self.name}-new"

    def _keys(self, bucket: str) -> list[str]:
        found = self._client().list_objects(bucket, recursive=True)
        return [str(each.object_name) for each in found]

    def _client(self) -> Minio:
        endpoint = self.services.store.endpoint
        return Minio(endpoint, ACCESS_KEY, SECRET_KEY, secure=False)
