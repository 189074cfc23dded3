"""One worker's clock is an hour wrong: leases go by the database's, so nobody notices."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from integration.clients import signed_in, upload
from integration.cluster import Cluster, Services
from integration.faults.redis_storm import until
from integration.services.faketime import faketime
from integration.services.postgresql import postgresql
from integration.services.redis import redis
from integration.services.s3 import S3Server
from integration.sleeper import with_sleeper
from integration.workers import worker

JOBS: Final = 8
LEASE: Final = 3  # seconds
JOB: Final = 5.0  # seconds: no lease lasts so long unless it is renewed
WITHIN: Final = 120.0

pytestmark = [pytest.mark.faults, pytest.mark.anyio, pytest.mark.timeout(300)]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def services() -> Iterator[Services]:
    # Files lie in a folder: an S3 server refuses whoever's clock is a quarter of an hour wrong.
    with postgresql() as database, redis() as queue:
        yield Services(database, queue, S3Server("none", 0))


@pytest.mark.parametrize("offset", ["+1h", "-1h"])
async def test_no_job_is_stolen_or_stuck(tmp_path: Path, services: Services, offset: str) -> None:
    wrong = faketime(offset)
    more = {
        **with_sleeper(tmp_path / "packages", seconds=JOB),
        "DOCSTORE_STORAGE_URL": (tmp_path / "blobs").as_uri(),
        "DOCSTORE_LEASE": str(LEASE),
        "DOCSTORE_HEARTBEAT": str(LEASE / 3),
        "DOCSTORE_REAP_INTERVAL": "1",
    }
    cluster = Cluster.new(tmp_path, services, more)
    environment = {**cluster.environment, **wrong}
    with (
        cluster.server("api") as server,
        cluster.worker("right"),
        worker(tmp_path / "wrong", environment=environment) as skewed,
        signed_in(server) as client,
    ):
        for _ in range(JOBS):
            upload(client)
        held: set[str] = set()
        await until(lambda: all_are_done(cluster, held), WITHIN)
        jobs = cluster.sql("SELECT DISTINCT status, attempts, releases, error_code FROM jobs")
        print(f"\n{offset}: {JOBS} jobs by {len(held)} workers")
        assert jobs == ["completed|1|0|"]
        assert cluster.sql("SELECT count(*) FROM files WHERE status = 'processed'") == [str(JOBS)]
        assert len(held) == 2, "only one of them had work"
        assert any(f":{skewed.pid}:" in name for name in held)


def all_are_done(cluster: Cluster, held: set[str]) -> bool:
    """Notes who holds a job; each of them has a lease that lives by the database's clock."""
    rows = cluster.sql(
        "SELECT worker, lease_until > clock_timestamp() - interval '1 second',"
        f" lease_until < clock_timestamp() + interval '{LEASE + 1} seconds'"
        " FROM jobs WHERE status = 'processing'"
    )
    for row in rows:
        name, lives, is_right = row.split("|")
        held.add(name)
        assert (lives, is_right) == ("t", "t"), row
    return cluster.sql("SELECT count(*) FROM jobs WHERE status = 'completed'") == [str(JOBS)]
