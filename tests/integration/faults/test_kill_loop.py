import os
import random
from pathlib import Path

import pytest

from integration.faults.kill_loop import KillLoop, one_completed_job_per_generation
from integration.servers import Server

FAULTS = {"full": 200, "long": 2000}


async def survives(tmp_path: Path, kills: int) -> None:
    seed = int(os.environ.get("DOCSTORE_TEST_SEED") or random.SystemRandom().getrandbits(32))
    print(f"\nreplay with DOCSTORE_TEST_SEED={seed}")
    server = Server(tmp_path / "data")
    try:
        tally = await KillLoop(server, seed, kills).run()
        server.stop()
        print(tally)
        assert tally.kills_in_flight * 2 >= tally.kills, tally
        one_completed_job_per_generation(server.data_dir)
        server.command("sweep", "--grace", "0")
        server.command("fsck", "--grace", "0")
    finally:
        server.kill()


@pytest.mark.anyio
async def test_what_was_acknowledged_survives_ten_kills(tmp_path: Path) -> None:
    await survives(tmp_path, 10)


@pytest.mark.faults
@pytest.mark.anyio
@pytest.mark.timeout(3600)
async def test_what_was_acknowledged_survives_hundreds_of_kills(tmp_path: Path) -> None:
    await survives(tmp_path, FAULTS[os.environ.get("DOCSTORE_TEST_FAULTS", "full")])
