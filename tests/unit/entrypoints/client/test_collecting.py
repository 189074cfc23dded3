import os
from pathlib import Path
from typing import Any

import pytest

from docstore.entrypoints.client.collecting import NOT_A_FILE, collected, readable


class Complaints:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def __call__(self, path: Path, error: Exception) -> None:
        self.heard.append((path.name, str(error)))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for name in ("b/2.txt", "b/1.txt", "a.txt", ".hidden/x", ".dot", "b/.dot"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(name))
    (root / "link").symlink_to(root / "a.txt")
    (root / "folder").symlink_to(root / "b")
    (root / "lost").symlink_to(root / "nothing")
    os.mkfifo(root / "pipe")
    return root


def test_a_folder_is_all_that_is_in_it(tree: Path) -> None:
    complaints = Complaints()
    found = list(collected([tree], complaints))
    assert [(each.name, each.size) for each in found] == [
        ("a.txt", 5), ("1.txt", 7), ("2.txt", 7),
    ]  # fmt: skip
    hidden = {
        str(each.path.relative_to(tree)) for each in collected([tree], complaints, hidden=True)
    }
    assert hidden == {".dot", ".hidden/x", "a.txt", "b/.dot", "b/1.txt", "b/2.txt"}
    assert complaints.heard == []


def test_what_was_typed_is_followed_or_told(tree: Path) -> None:
    complaints = Complaints()
    typed = [tree / name for name in ("link", ".dot", "pipe", "nothing", "a.txt")]
    assert [each.name for each in collected(typed, complaints)] == ["link", ".dot", "a.txt"]
    (pipe, why), (nothing, _) = complaints.heard
    assert (pipe, nothing) == ("pipe", "nothing")
    assert NOT_A_FILE in why


@pytest.mark.parametrize("what", ["walk", "stat"])
def test_what_cannot_be_read_is_told_and_the_rest_goes_on(
    tree: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The tests may run as root, whom no mode keeps out."""
    refused = PermissionError(13, "Permission denied", str(tree / "b"))
    if what == "walk":
        scan = os.scandir

        def scandir(path: str) -> Any:
            if str(path).endswith("/b"):
                raise refused
            return scan(path)

        monkeypatch.setattr(os, "scandir", scandir)
        left = ["a.txt"]
    else:
        (tree / "b" / "1.txt").unlink()
        (tree / "b" / "1.txt").symlink_to("gone")
        left = ["a.txt", "2.txt"]
    complaints = Complaints()
    assert [each.name for each in collected([tree], complaints)] == left
    assert len(complaints.heard) == (what == "walk")


def test_a_name_that_is_not_utf8_can_be_said() -> None:
    assert readable(os.fsdecode(b"caf\xe9.txt")) == "caf\ufffd.txt"
    assert readable("café.txt") == "café.txt"
