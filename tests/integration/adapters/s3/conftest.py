from collections.abc import Iterator

import pytest

from integration.services.s3 import S3Server
from integration.services.s3_servers import SERVERS, some_server


@pytest.fixture(scope="module", params=SERVERS)
def each_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[S3Server]:
    """Each of those that the adapter is tried on, in turn."""
    name: str = request.param
    with SERVERS[name](tmp_path_factory.mktemp(name)) as server:
        yield server


@pytest.fixture(scope="module", params=[name for name in SERVERS if name != "moto"])
def real_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[S3Server]:
    """As `each_server`, but for the one that verifies no signature and keeps no time."""
    name: str = request.param
    with SERVERS[name](tmp_path_factory.mktemp(name)) as server:
        yield server


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Whichever there is."""
    with some_server(tmp_path_factory.mktemp("s3")) as server:
        yield server
