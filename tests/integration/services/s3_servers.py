"""Every S3 server that the adapter is tried on."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from integration.services.minio import minio
from integration.services.moto import moto
from integration.services.programs import find
from integration.services.s3 import S3Server
from integration.services.versitygw import versitygw

Start: TypeAlias = Callable[[Path], AbstractContextManager[S3Server]]

SERVERS: Final[Mapping[str, Start]] = {"minio": minio, "versitygw": versitygw, "moto": moto}


@contextmanager
def some_server(folder: Path) -> Iterator[S3Server]:
    """For tests of what does not depend on the server: a real one where there is one."""
    name = next((name for name in ("minio", "versitygw") if find(name)), "moto")
    with SERVERS[name](folder) as server:
        yield server
