import os
from pathlib import Path

import pytest

from integration.cluster import Cluster, Services
from integration.faults.kill_loop import Embedded, KillLoop, one_completed_job_per_generation
from integration.faults.replicas import Replicas
from integration.replays import a_seed
from integration.servers import Server
from integration.services.minio import minio
from integration.services.postgresql import postgresql
from integration.services.redis import redis

FAULTS = {"full": 200, "long": 2000}
OFTEN = {
    "DOCSTORE_PATIENCE": "2",
    "DOCSTORE_LEASE": "6",
    "DOCSTORE_HEARTBEAT": "2",
    "DOCSTORE_REAP_INTERVAL": "1",
    "DOCSTORE_MAX_CRASHES": "100",  # no file is to blame for what we do
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def number() -> int:
    return FAULTS[os.environ.get("DOCSTORE_TEST_FAULTS", "full")]


async def survives(tmp_path: Path, kills: int) -> None:
    server = Server(tmp_path / "data", {"DOCSTORE_UPLOAD_RATE": "off"})
    try:
        tally = await KillLoop(Embedded(server), a_seed(), kills).run()
        server.stop()
        print(tally)
        assert tally.kills_in_flight * 2 >= tally.kills, tally
        one_completed_job_per_generation(server.data_dir)
        server.command("sweep", "--grace", "0")
        server.command("fsck", "--grace", "0")
    finally:
        server.kill()


async def survives_on_servers(tmp_path: Path, kills: int) -> None:
    """Nobody tidies up while they are killed; so all that they leave is there for the sweep."""
    with postgresql() as database, redis() as queue, minio(tmp_path) as store:
        cluster = Cluster.new(tmp_path, Services(database, queue, store), OFTEN)
        replicas = Replicas(cluster)
        try:
            tally = await KillLoop(replicas, a_seed(), kills).run()
            print(f"{tally}; {dict(replicas.hits)}")
            assert tally.kills_in_flight * 2 >= tally.kills, tally
            replicas.one_completed_job_per_generation()
            replicas.stop()
            swept = replicas.server.command("sweep", "--grace", "0")
            print(f"swept: {swept}")
            assert replicas.server.command("fsck", "--grace", "0")["clean"]
            assert cluster.staged() == []
            assert cluster.unfinished() == []
        finally:
            replicas.stop()


@pytest.mark.anyio
async def test_what_was_acknowledged_survives_ten_kills(tmp_path: Path) -> None:
    await survives(tmp_path, 10)


@pytest.mark.anyio
@pytest.mark.timeout(300)
async def test_what_was_acknowledged_survives_ten_kills_on_servers(tmp_path: Path) -> None:
    await survives_on_servers(tmp_path, 10)


@pytest.mark.faults
@pytest.mark.anyio
@pytest.mark.timeout(3600)
async def test_what_was_acknowledged_survives_hundreds_of_kills(tmp_path: Path) -> None:
    await survives(tmp_path, number())


@pytest.mark.faults
@pytest.mark.anyio
@pytest.mark.timeout(7200)
async def test_what_was_acknowledged_survives_hundreds_of_kills_on_servers(tmp_path: Path) -> None:
    await survives_on_servers(tmp_path, number())
