"""docstore as the user that compose.yaml makes in MinIO: it can do what it has to, and no more."""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from docstore.adapters.storage.s3 import connect
from docstore.domain.errors import Unavailable
from docstore.testing.blob_store import chunks, listed, read
from docstore.testing.bodies import patterned
from integration.services.minio import minio
from integration.services.s3 import ACCESS_KEY, SECRET_KEY, S3Server

pytestmark = pytest.mark.anyio

COMPOSE = Path(__file__).parents[4] / "compose.yaml"
PASSWORD = "of docstore's own/user"
LARGE = patterned(11 * 1024**2)  # three parts


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def url(server: S3Server, bucket: str) -> str:
    where = f"{server.endpoint}/{bucket}?secure=false&staging={bucket}-incoming"
    return f"s3://docstore:{quote(PASSWORD, safe='')}@{where}"


async def set_up(server: S3Server) -> None:
    """What `minio-user` runs."""
    service = yaml.safe_load(COMPOSE.read_text())["services"]["minio-user"]
    assert service["entrypoint"] == ["python", "-c"]
    given = {
        "MINIO_SERVER": server.endpoint,
        "MINIO_ROOT_USER": ACCESS_KEY,
        "MINIO_ROOT_PASSWORD": SECRET_KEY,
        "MINIO_PASSWORD": PASSWORD,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", *service["command"], env={**os.environ, **given}
    )
    assert await process.wait() == 0


async def test_the_user_of_compose_can_do_what_docstore_does(tmp_path: Path) -> None:
    with minio(tmp_path) as server:
        for _ in range(2):  # each start of compose does so
            await set_up(server)
        async with connect(url(server, "docstore")) as store:
            await store.migrate()
            await store.ping()
            await store.put("staging/a", chunks(LARGE))
            await store.copy("staging/a", "files/a")
            await store.delete("staging/a")
            assert await read(store, "files/a") == LARGE
            assert await listed(store) == ["files/a"]
            with pytest.raises(ZeroDivisionError):
                await store.put("staging/b", chunks(LARGE, then=ZeroDivisionError()))
            assert await store.tidy(timedelta(0)) == 0
        async with connect(url(server, "others")) as other:
            with pytest.raises(Unavailable):
                await other.migrate()
