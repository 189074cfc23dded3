import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from docstore.adapters.tokens.secret_file import UnsafeSecretFile, load_or_make


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "jwt-secret"


def test_it_is_made_once(path: Path) -> None:
    secret = load_or_make(path)
    assert len(secret.encode()) >= 32
    assert load_or_make(path) == secret
    assert [file.name for file in path.parent.iterdir()] == ["jwt-secret"]


def test_no_two_folders_share_one(tmp_path: Path) -> None:
    assert len({load_or_make(tmp_path / name) for name in "abc"}) == 3


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_its_owner_can_read_it(path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        load_or_make(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_one_that_is_open_to_others_is_refused(path: Path, mode: int) -> None:
    load_or_make(path)
    path.chmod(mode)
    with pytest.raises(UnsafeSecretFile, match=f"chmod 600 {path}"):
        load_or_make(path)


@pytest.mark.parametrize("held", [b"", b"\n", b"x" * 31, b" " * 64])
def test_one_that_holds_no_secret_is_refused_and_kept(path: Path, held: bytes) -> None:
    load_or_make(path)
    path.write_bytes(held)
    with pytest.raises(UnsafeSecretFile, match="holds no secret"):
        load_or_make(path)
    assert path.read_bytes() == held


def test_a_secret_put_there_by_hand_is_used(path: Path) -> None:
    load_or_make(path)
    path.write_text("my own secret of more than 32 bytes\n")
    assert load_or_make(path) == "my own secret of more than 32 bytes"


def test_of_two_makers_one_wins(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have seen that there is none, and have written their own, before either links it."""
    both = Barrier(2, timeout=10)
    link = os.link

    def link_together(source: str, target: Path) -> None:
        both.wait()
        link(source, target)

    monkeypatch.setattr(os, "link", link_together)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(load_or_make, [path, path])
    assert one == other == path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["jwt-secret"]


STARTER = """
import sys
from pathlib import Path
from docstore.adapters.tokens.secret_file import load_or_make
print("ready", flush=True)
sys.stdin.readline()
print(load_or_make(Path(sys.argv[1])), flush=True)
"""


def test_processes_that_start_at_once_agree(path: Path) -> None:
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", STARTER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for starter in starters:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "ready\n"
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write("go\n")
        starter.stdin.flush()
    secrets = {starter.communicate(timeout=30)[0].strip() for starter in starters}
    assert secrets == {path.read_text()}
