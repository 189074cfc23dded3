"""Workers whose clocks are an hour wrong: leases go by the database's, so nobody notices.

On PostgreSQL only. All who share a SQLite file are on one machine, and so have one clock.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import Popen
from typing import Final

import pytest

from integration.clients import signed_in, upload
from integration.cluster import Cluster, Services
from integration.faults.redis_storm import until
from integration.servers import Server
from integration.services.faketime import faketime
from integration.services.postgresql import postgresql
from integration.services.redis import redis
from integration.services.s3 import S3Server
from integration.sleeper import with_sleeper

JOBS: Final = 12
LEASE: Final = 4  # seconds
JOB: Final = 7.0  # seconds: no lease lasts so long unless it is renewed
WITHIN: Final = 60.0  # of an hour

AHEAD: Final = "+1h"
RIGHT: Final = "+0"
BEHIND: Final = "-1h"
FAST: Final = "+0 x2"  # a second ahead with each second

pytestmark = [pytest.mark.faults, pytest.mark.anyio, pytest.mark.timeout(300)]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def services() -> Iterator[Services]:
    # Files lie in a folder: an S3 server refuses whoever's clock is a quarter of an hour wrong.
    with postgresql() as database, redis() as queue:
        yield Services(database, queue, S3Server("none", 0))


@dataclass(frozen=True)
class Crew:
    """Workers of one store, each with a clock of its own, and what their leases are like."""

    cluster: Cluster

    def worker(self, offset: str) -> "AbstractContextManager[Popen[str]]":
        return self._with_clock(offset).worker(offset)

    def server(self, offset: str) -> AbstractContextManager[Server]:
        return self._with_clock(offset).server(f"api{offset}")

    def _with_clock(self, offset: str) -> Cluster:
        packages = self.cluster.folder / f"packages{offset}"
        return replace(
            self.cluster, environment=faketime(offset, packages, self.cluster.environment)
        )

    def holders(self) -> list[str]:
        """Who holds a job now. Each holds it until at most a lease from now, by the database's
        clock, and has shown signs of life by that.
        """
        rows = self.cluster.sql(
            f"SELECT lease_until <= clock_timestamp() + interval '{LEASE} s'"
            f" AND lease_until = heartbeat_at + interval '{LEASE} s', worker"
            " FROM jobs WHERE status = 'processing'"
        )
        assert [row for row in rows if not row.startswith("t|")] == []
        return [row.removeprefix("t|") for row in rows]

    def is_at_work(self, process: "Popen[str]") -> bool:
        return any(is_of(process, name) for name in self.holders())

    def completed(self) -> int:
        return int(self.cluster.sql("SELECT count(*) FROM jobs WHERE status = 'completed'")[0])


@pytest.fixture
def crew(tmp_path: Path, services: Services) -> Crew:
    more = {
        **with_sleeper(tmp_path / "packages", seconds=JOB),
        "DOCSTORE_STORAGE_URL": (tmp_path / "blobs").as_uri(),
        "DOCSTORE_LEASE": str(LEASE),
        "DOCSTORE_HEARTBEAT": "1",
        "DOCSTORE_REAP_INTERVAL": "0.5",
    }
    return Crew(Cluster.new(tmp_path, services, more))


def is_of(process: "Popen[str]", name: str) -> bool:
    return f":{process.pid}:" in name


async def test_nobody_takes_a_lease_that_lives(crew: Crew) -> None:
    held: set[str] = set()

    def all_are_done() -> bool:
        held.update(crew.holders())
        return crew.completed() == JOBS

    with (
        crew.cluster.server("api") as server,
        crew.worker(AHEAD) as ahead,
        crew.worker(RIGHT) as right,
        crew.worker(BEHIND) as behind,
        crew.worker(FAST) as fast,
        signed_in(server) as client,
    ):
        for _ in range(JOBS):
            upload(client)
        await until(all_are_done, JOBS * JOB)
        jobs = crew.cluster.sql(
            "SELECT DISTINCT status, attempts, crash_attempts, releases, error_code FROM jobs"
        )
        files = crew.cluster.sql("SELECT count(*) FROM files WHERE status = 'processed'")
        print(f"\n{JOBS} jobs of {JOB} s, leases of {LEASE} s: by {len(held)} workers")
        assert (jobs, files) == (["completed|1|0|0|"], [str(JOBS)])
        for process in (ahead, right, behind, fast):
            assert any(is_of(process, name) for name in held), "one of them had no work"


@pytest.mark.parametrize(
    ("dead", "alive"),
    [(RIGHT, AHEAD), (RIGHT, BEHIND), (AHEAD, BEHIND), (BEHIND, AHEAD)],
)
async def test_the_lease_of_the_dead_is_taken_when_it_is_over(
    crew: Crew, dead: str, alive: str
) -> None:
    with (
        crew.cluster.server("api") as server,
        crew.worker(dead) as killed,
        signed_in(server) as client,
    ):
        upload(client)
        await until(lambda: crew.is_at_work(killed), WITHIN)
        with crew.worker(alive) as heir:
            killed.kill()
            killed.wait()
            (end,) = crew.cluster.sql("SELECT lease_until FROM jobs")
            await until(lambda: crew.is_at_work(heir), WITHIN)
            late = f"SELECT attempts, started_at > '{end}', started_at - '{end}' FROM jobs"
            (taken,) = crew.cluster.sql(late)
            print(f"\n{dead} is killed, {alive} inherits: {taken}")
            assert taken.startswith("2|t|"), "it was taken too early, or more than once"
            await until(lambda: crew.completed() == 1, WITHIN)


@pytest.mark.parametrize("offset", [AHEAD, BEHIND, FAST])
async def test_an_api_with_a_wrong_clock_loses_and_doubles_nothing(crew: Crew, offset: str) -> None:
    with crew.server(offset) as server, crew.worker(RIGHT), signed_in(server) as client:
        ids = [upload(client) for _ in range(3)]
        await until(lambda: crew.completed() == len(ids), WITHIN)
        assert {client.get(f"/files/{each}").json()["status"] for each in ids} == {"processed"}
        assert client.get("/files").json()["total"] == len(ids)
        assert server.command("fsck", "--grace", "0")["clean"]
    assert crew.cluster.sql("SELECT DISTINCT attempts FROM jobs") == ["1"]
