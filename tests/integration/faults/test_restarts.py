import socket
from pathlib import Path
from typing import Final

import pytest

from integration.faults.rolling_restart import RollingRestart
from integration.remains import select
from integration.replays import a_seed
from integration.servers import Server
from integration.sleeper import with_sleeper

JOB: Final = 0.4  # seconds


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def nobody_notices(tmp_path: Path, *, restarts: int, jobs: int) -> None:
    seed = a_seed()
    slow = with_sleeper(tmp_path / "packages", seconds=JOB)
    server = Server(
        tmp_path / "data",
        {**slow, "DOCSTORE_WORKERS": "4", "DOCSTORE_UPLOAD_RATE": "off"},
        port=a_free_port(),
    )
    try:
        tally = await RollingRestart(server, seed, restarts=restarts, jobs=jobs).run()
        print(tally)
        assert tally.broken == []
        assert sum(tally.in_flight) >= restarts, "the restarts hit nobody"
        assert server.stop() == 0
        every_job_took_one_attempt(server.data_dir, len(tally.acked))
        server.command("sweep", "--grace", "0")  # a worker is stopped before it has tidied up, too
        assert server.command("fsck", "--grace", "0")["clean"]
    finally:
        server.kill()


MANY = 100  # jobs, of which some must be running when a server is stopped


def every_job_took_one_attempt(data_dir: Path, number: int) -> None:
    jobs = select(data_dir, "SELECT status, attempts, releases FROM jobs")
    assert [job[:2] for job in jobs] == [("completed", 1)] * number
    releases = sum(releases for _, _, releases in jobs)
    print(f"{len(jobs)} jobs, given back {releases} times")
    assert releases or number < MANY, "the restarts hit no job"


@pytest.mark.anyio
async def test_three_restarts_go_unnoticed(tmp_path: Path) -> None:
    await nobody_notices(tmp_path, restarts=3, jobs=12)


@pytest.mark.faults
@pytest.mark.anyio
@pytest.mark.timeout(600)
async def test_twenty_restarts_go_unnoticed(tmp_path: Path) -> None:
    await nobody_notices(tmp_path, restarts=20, jobs=100)
