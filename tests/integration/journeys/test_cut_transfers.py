"""Transfers by the command line that are killed, or lose their line: nothing lost, none twice."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from integration.clients import ACCOUNT
from integration.cutting import Line, line
from integration.servers import PROGRAM, Server, serving

DATA = os.urandom(1024 * 1024) * 3
SECONDS = 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data") as started:
        yield started


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "big.bin").write_bytes(DATA)
    return folder


def started(home: Path, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*PROGRAM, *words], cwd=home, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def docstore(home: Path, *words: str, said: str = "") -> str:
    done = subprocess.run(
        [*PROGRAM, *words], cwd=home, input=said.encode(), capture_output=True, timeout=SECONDS,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def grown(home: Path) -> Path:
    """What is kept of a download, once there is something in it."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        for part in home.glob("back.bin.*.part"):
            if part.stat().st_size:
                return part
        time.sleep(0.01)
    raise AssertionError("nothing is kept")


@contextmanager
def signed_in(home: Path, server: Server) -> Iterator[Line]:
    """Over a line that is whole so far."""
    port = urlsplit(server.url).port
    assert port is not None
    with line(port) as (carried, url):
        words = (ACCOUNT["email"], "--url", url, "--password-stdin")
        docstore(home, "register", *words, said=ACCOUNT["password"])
        yield carried


def test_a_download_that_was_killed_goes_on_where_it_was(home: Path, server: Server) -> None:
    with signed_in(home, server) as carried:
        ident = docstore(home, "upload", "big.bin").split()[0]
        carried.stall_after = len(DATA) // 2
        running = started(home, "download", ident, "-o", "back.bin")
        assert carried.reached.wait(SECONDS)
        part = grown(home)
        running.kill()
        running.communicate(timeout=SECONDS)
        assert not (home / "back.bin").exists()
        # It may have been killed before the last bytes were written: then those come again.
        kept = part.stat().st_size
        assert 0 < kept < len(DATA)

        carried.stall_after = None
        carried.requests.clear()
        assert docstore(home, "download", ident, "-o", "back.bin") == "back.bin\n"
        assert (home / "back.bin").read_bytes() == DATA
        assert f"range: bytes={kept}-".encode() in b"".join(carried.requests).lower()
        assert not part.exists()


def test_an_upload_whose_answer_was_lost_is_stored_once(home: Path, server: Server) -> None:
    with signed_in(home, server) as carried:
        carried.cut_answers = 2
        view = json.loads(docstore(home, "upload", "big.bin", "--title", "Big", "--json"))
        assert carried.reached.is_set()
        assert carried.cut_answers == 0
        found = docstore(home, "ls", "--all", "--json").splitlines()
        assert [json.loads(each)["id"] for each in found] == [view["id"]]


def test_a_server_that_stays_away_is_told_of(home: Path, server: Server) -> None:
    with signed_in(home, server):
        server.kill()
        done = started(home, "ls")
        stdout, stderr = done.communicate(timeout=SECONDS)
    assert (done.returncode, stdout) == (1, b"")
    (told,) = stderr.decode().splitlines()
    assert told.startswith("docstore: no answer from http://127.0.0.1:")
