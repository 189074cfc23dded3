from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from docstore.adapters.storage.filesystem.mounts import kind_of
from docstore.entrypoints import surroundings as module
from docstore.entrypoints.surroundings import Level, surroundings
from docstore.settings import Settings


def look(folder: Path, **changes: Any) -> Mapping[str, tuple[Level, str]]:
    settings = Settings(data_dir=folder, **changes)
    found = surroundings(settings, kind_of)
    return {each.subject: (each.level, each.detail) for each in found}


def test_all_is_well_and_nothing_is_made(tmp_path: Path) -> None:
    found = look(tmp_path / "data")
    assert {level for level, _ in found.values()} == {Level.OK}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("subject", "limit"),
    [("space", "LITTLE_SPACE"), ("inodes", "FEW_INODES"), ("open files", "FEW_FILES")],
)
def test_little_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subject: str, limit: str
) -> None:
    if subject not in look(tmp_path):
        pytest.skip("this file system has no number of inodes")
    monkeypatch.setattr(module, limit, 2**62)
    assert look(tmp_path / "data")[subject][0] is Level.WARNING


def test_sqlite_on_a_network_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    level, kind = look(tmp_path)["file system"]
    assert level is Level.OK
    monkeypatch.setattr(module, "ON_A_NETWORK", {kind})
    level, detail = look(tmp_path)["file system"]
    assert level is Level.WARNING
    assert "DOCSTORE_DATABASE_URL" in detail
    elsewhere = look(tmp_path, database_url="sqlite:////elsewhere/docstore.db")
    assert elsewhere["file system"][0] is Level.OK


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    level, detail = look(tmp_path / "file" / "data")["data directory"]
    assert level is Level.FAILED
    assert "DOCSTORE_DATA_DIR" in detail


def test_a_folder_that_is_open_to_others_is_a_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert look(tmp_path)["data directory"][0] is Level.WARNING


@pytest.mark.parametrize(
    ("secret", "level"),
    [
        ("change me change me change me change me", Level.WARNING),
        ("x" * 64, Level.WARNING),
        ("q8Zk1uXfA0vYl3tWn5sRb7eHj2mCpD4g", Level.OK),
        ("0f1e2d3c4b5a69788796a5b4c3d2e1f0", Level.OK),
    ],
)
def test_a_secret_that_can_be_guessed_is_a_warning(
    tmp_path: Path, secret: str, level: Level
) -> None:
    assert look(tmp_path, jwt_secret=secret)["secret"][0] is level
    assert secret not in str(look(tmp_path, jwt_secret=secret))


def test_a_published_secret_is_no_secret_beyond_this_machine(tmp_path: Path) -> None:
    level, advice = look(tmp_path, jwt_secret="change-me" * 4, host="0.0.0.0")["secret"]
    assert level is Level.FAILED
    assert "openssl rand" in advice


def test_several_machines_need_one_secret(tmp_path: Path) -> None:
    shared = {"database_url": "postgresql://host/docstore"}
    level, advice = look(tmp_path, **shared)["secret"]
    assert level is Level.WARNING
    assert "DOCSTORE_JWT_SECRET" in advice
    given = look(tmp_path, jwt_secret="0123456789abcdefghijklmnopqrstuvwxyz", **shared)
    assert given["secret"][0] is Level.OK


@pytest.mark.parametrize(
    ("host", "registration", "level"),
    [
        ("0.0.0.0", "open", Level.WARNING),
        ("0.0.0.0", "closed", Level.OK),
        ("127.0.0.1", "open", Level.OK),
        ("::1", "open", Level.OK),
        ("files.example.org", "open", Level.WARNING),
    ],
)
def test_open_to_all_is_a_warning(
    tmp_path: Path, host: str, registration: str, level: Level
) -> None:
    found = look(tmp_path, host=host, registration=registration)
    assert found["registration"][0] is level


def test_what_a_power_cut_may_take_is_a_warning(tmp_path: Path) -> None:
    assert look(tmp_path, durability="relaxed")["durability"][0] is Level.WARNING
