"""What the doctor says of good installations and of broken ones."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from unit.entrypoints.cli.conftest import Run

Doctor: TypeAlias = Callable[[], Mapping[str, tuple[str, str]]]


@pytest.fixture
def doctor(run: Run, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Each subject's level and detail; the status fits them."""
    monkeypatch.setenv("DOCSTORE_ISOLATION", "none")

    def doctor() -> Mapping[str, tuple[str, str]]:
        result = run("doctor", "--json")
        found = {each["subject"]: each for each in json.loads(result.stdout)}
        levels = {each["level"] for each in found.values()}
        assert result.exit_code == ("failed" in levels)
        return {name: (each["level"], each["detail"]) for name, each in found.items()}

    return doctor


def revision(data: Path) -> str:
    db = sqlite3.connect(data / "docstore.db")
    try:
        return str(db.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    finally:
        db.close()


def be_at(data: Path, number: str) -> None:
    db = sqlite3.connect(data / "docstore.db")
    try:
        with db:
            db.execute("UPDATE alembic_version SET version_num = ?", (number,))
    finally:
        db.close()


def test_where_nothing_is_yet_all_is_well(doctor: Doctor) -> None:
    found = doctor()
    assert {level for level, _ in found.values()} == {"ok", "warning"}
    assert [name for name, (level, _) in found.items() if level == "warning"] == ["parsers"]
    assert found.keys() >= {
        *("settings", "versions", "data directory", "space", "file system", "open files"),
        *("secret", "registration", "durability", "migrations", "database", "storage", "queue"),
        *("round trip", "clock", "parsers"),
    }


def test_an_older_database_stays_so(doctor: Doctor, run: Run, data: Path) -> None:
    assert run("migrate").exit_code == 0
    be_at(data, "0003")
    level, detail = doctor()["migrations"]
    assert level == "warning"
    assert "0004" in detail
    assert "0003" not in detail
    assert "`docstore migrate`" in detail
    assert revision(data) == "0003"


def test_a_newer_database_fails(doctor: Doctor, run: Run, data: Path) -> None:
    assert run("migrate").exit_code == 0
    be_at(data, "9999")
    level, detail = doctor()["migrations"]
    assert (level, "newer" in detail) == ("failed", True)


def test_what_is_no_database_fails_and_the_rest_is_looked_at(doctor: Doctor, data: Path) -> None:
    data.mkdir(mode=0o700)
    (data / "docstore.db").write_bytes(b"no database" * 1000)
    found = doctor()
    assert found["migrations"][0] == "failed"
    assert found["parsers"][0] == "warning"


def test_a_store_that_cannot_be_opened_fails_and_the_rest_is_looked_at(
    doctor: Doctor, data: Path
) -> None:
    data.mkdir(mode=0o700)
    (data / "blobs").write_bytes(b"")
    found = doctor()
    assert found["opening"][0] == "failed"
    assert "blobs" in found["opening"][1]
    assert found["parsers"][0] == "warning"


def test_an_adapter_that_is_not_there_fails(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCSTORE_STORAGE_URL", "s4://bucket")
    assert doctor()["opening"] == ("failed", "storage: 's4' is not one of ['file', 'memory', 's3']")


def test_a_wrong_setting_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCSTORE_PORT", "many")
    level, detail = doctor()["settings"]
    assert level == "failed"
    assert "DOCSTORE_PORT" in detail


def test_a_secret_that_others_may_read_fails(doctor: Doctor, run: Run, data: Path) -> None:
    doctor()
    (data / "jwt-secret").chmod(0o644)
    level, detail = doctor()["secret"]
    assert level == "failed"
    assert "chmod 600" in detail


def test_nothing_of_the_look_is_left(doctor: Doctor, data: Path) -> None:
    doctor()
    assert [path for path in (data / "blobs").rglob("*") if path.is_file()] == []


def test_text_in_pictures_is_only_looked_into_when_it_is_wanted(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert doctor()["text in pictures"] == (
        "ok",
        "not recognised; DOCSTORE_OCR names languages",
    )
    monkeypatch.setenv("DOCSTORE_OCR", "xyz")
    monkeypatch.setenv("DOCSTORE_OCR_DATA", str(tmp_path))
    level, detail = doctor()["text in pictures"]
    assert level == "warning"
    assert "xyz.traineddata" in detail or "docstore[ocr]" in detail
