"""Attacks on the start, and on several processes: made on `docstore serve` itself."""

import asyncio
import os
import subprocess
from pathlib import Path

import httpx
import pytest

from integration.clients import signed_in
from integration.servers import PROGRAM, serving


@pytest.mark.parametrize("secret", ["secret", "x" * 31, "change-me"])
def test_a19_a_weak_secret_stops_the_start(secret: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "serve", "--port", "0", "--data-dir", str(tmp_path / "data")],
        env={**os.environ, "DOCSTORE_JWT_SECRET": secret},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    said = (done.stdout + done.stderr).strip()
    assert "DOCSTORE_JWT_SECRET" in said
    assert len(said.splitlines()) == 1
    assert f"={secret}" not in said


def test_a19_without_a_secret_a_strong_one_is_made(tmp_path: Path) -> None:
    with serving(tmp_path / "data", jwt_secret=""):
        (kept,) = (tmp_path / "data").glob("*secret*")
    assert len(kept.read_bytes().strip()) >= 32
    assert kept.stat().st_mode & 0o777 == 0o600


def test_r3_a_limit_holds_over_several_processes(tmp_path: Path) -> None:
    several = serving(tmp_path / "data", api_processes="4", upload_rate="50/minute")
    with several as server, signed_in(server) as client:
        statuses = asyncio.run(_burst(server.url, client.headers["Authorization"]))
    assert sorted(statuses) == [201] * 50 + [429] * 150


async def _burst(url: str, authorization: str) -> list[int]:
    async def upload() -> int:
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:  # a connection of its own
            headers = {"Authorization": authorization, "Content-Type": "application/octet-stream"}
            answer = await client.post("/files?filename=a", content=b"x", headers=headers)
            return answer.status_code

    return await asyncio.gather(*(upload() for _ in range(200)))
