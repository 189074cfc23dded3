import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from docstore.entrypoints.serving import folder
from docstore.entrypoints.serving.folder import LOCK, Held, held, make_private, unserved


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def a_dead_process() -> int:
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", ""]) as process:
        return process.pid


def say_it_is_held_by(pid: int, path: Path) -> None:
    (path / LOCK).write_text(json.dumps({"pid": pid, "instance": "gone", "dead": []}))


def test_two_do_not_hold_one_folder(tmp_path: Path) -> None:
    with held(tmp_path):
        with pytest.raises(Held, match=rf"{tmp_path} is held .* \(process {os.getpid()}\)"):
            hold_elsewhere(tmp_path)
        with pytest.raises(Held), unserved(tmp_path):
            pass
    with held(tmp_path), pytest.raises(Held), held(tmp_path):
        pass


def hold_elsewhere(path: Path) -> None:
    """As another process sees it: whose own id is not the holder's."""
    real = os.getpid()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getpid", lambda: real + 1)
        with held(path):
            pass


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "ORPHAN_SECONDS", 0.1)


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with held(tmp_path), pytest.raises(Held), unserved(tmp_path):
            pass
        with unserved(tmp_path):
            pass


def test_the_dead_are_remembered_until_their_leases_are_released(tmp_path: Path) -> None:
    with held(tmp_path) as first:
        assert first.dead == ()
    with held(tmp_path) as second:
        assert second.dead == (first.instance,)
    with held(tmp_path) as third:
        assert third.dead == (first.instance, second.instance)
        third.forget_dead()
    with held(tmp_path) as fourth:
        assert fourth.dead == (third.instance,)
    assert len({each.instance for each in (first, second, third, fourth)}) == 4


def test_an_unserved_folder_keeps_what_its_lock_says(tmp_path: Path) -> None:
    with held(tmp_path):
        said = (tmp_path / LOCK).read_bytes()
    with unserved(tmp_path):
        assert (tmp_path / LOCK).read_bytes() == said


def test_the_lock_tells_who_holds_it(tmp_path: Path) -> None:
    with held(tmp_path) as hold:
        note = json.loads((tmp_path / LOCK).read_text())
        assert note == {"pid": os.getpid(), "instance": hold.instance, "dead": []}
    assert mode(tmp_path / LOCK) == 0o600


@pytest.mark.parametrize(
    "said", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff\xfe", b'{"pid": "x", "instance": 1}']
)
def test_a_lock_file_that_makes_no_sense_holds_nobody_up(tmp_path: Path, said: bytes) -> None:
    (tmp_path / LOCK).write_bytes(said)
    with held(tmp_path) as hold:
        assert hold.dead == ()


def test_an_orphan_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its `serve` is dead; the lock is still held by a child that the kernel is ending."""
    monkeypatch.setattr(folder, "ORPHAN_SECONDS", 30.0)
    with held(tmp_path) as before:
        orphan = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", "input()"],
            stdin=subprocess.PIPE,
            pass_fds=[before.descriptor],
        )
        say_it_is_held_by(a_dead_process(), tmp_path)
    waited = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        orphan.communicate(b"\n")

    monkeypatch.setattr(time, "sleep", wait)
    with held(tmp_path) as hold:
        assert hold.dead == ("gone",)
    assert len(waited) == 1


def test_an_orphan_that_stays_is_an_error(tmp_path: Path) -> None:
    with held(tmp_path):
        say_it_is_held_by(a_dead_process(), tmp_path)
        with pytest.raises(Held), held(tmp_path):
            pass


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    make_private(tmp_path / "a" / "data")
    assert mode(tmp_path / "a" / "data") == 0o700


@pytest.mark.parametrize("content", [(), (LOCK, "docstore.db")])
def test_an_empty_folder_and_our_own_are_made_private(
    tmp_path: Path, content: tuple[str, ...]
) -> None:
    tmp_path.chmod(0o755)
    for name in content:
        (tmp_path / name).touch()
    make_private(tmp_path)
    assert mode(tmp_path) == 0o700


def test_the_folder_of_others_is_left_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "theirs").touch()
    make_private(tmp_path)
    assert mode(tmp_path) == 0o755
    assert "is open to others (mode 0755)" in caplog.text
