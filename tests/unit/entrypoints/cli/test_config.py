import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from docstore.entrypoints.cli.config import effective, example
from docstore.settings import MASK, Settings, masked
from unit.entrypoints.cli.conftest import Run

ROOT = Path(__file__).parents[4]


def test_the_example_in_the_repository_is_current() -> None:
    assert (ROOT / ".env.example").read_text() == example(), "docstore config --env > .env.example"


def test_the_example_names_every_setting_and_sets_none(run: Run) -> None:
    text = run("config", "--env").output
    for name in Settings.model_fields:
        assert f"\n#DOCSTORE_{name.upper()}=" in text
    assert all(not line or line.startswith("#") for line in text.splitlines())


def test_the_example_without_its_hashes_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = [line[1:] for line in example().splitlines() if line.startswith("#DOCSTORE_")]
    (tmp_path / ".env").write_text("\n".join(settings))
    monkeypatch.chdir(tmp_path)
    read: dict[str, Any] = {"_env_file": ".env"}
    unread: dict[str, Any] = {"_env_file": None}
    assert Settings(**read) == Settings(**unread)


def test_what_is_in_force_is_shown(run: Run, data: Path) -> None:
    shown = json.loads(run("config", "--json").output)
    assert shown["DOCSTORE_PORT"] == 8000
    assert shown["DOCSTORE_DATABASE_URL"] == f"sqlite:///{data}/docstore.db"
    assert f"DOCSTORE_STORAGE_URL={(data / 'blobs').as_uri()}\n" in run("config").output


def test_an_option_wins_over_the_environment(run: Run, tmp_path: Path) -> None:
    shown = json.loads(run("config", "--json", "--data-dir", str(tmp_path / "other")).output)
    assert shown["DOCSTORE_DATA_DIR"] == str(tmp_path / "other")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_secrets_are_masked(
    run: Run, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DOCSTORE_JWT_SECRET", "s3cret" * 8)
    monkeypatch.setenv("DOCSTORE_DATABASE_URL", "postgresql://me:s3cret@host:5432/db")
    monkeypatch.setenv("DOCSTORE_QUEUE_URL", "redis://:s3cret@host/1")
    output = run("config", *options).output
    assert "s3cret" not in output
    assert f"postgresql://me:{MASK}@host:5432/db" in output
    assert output.count(f"redis://:{MASK}@host/1") == 2, "the limits are there, too"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://key:s3cret@host:9000/bucket", f"s3://key:{MASK}@host:9000/bucket"),
        ("s3://key:s3cret/@s3cret@host/bucket", f"s3://key:{MASK}@host/bucket"),
        ("s3://:s3cret@host/bucket", f"s3://:{MASK}@host/bucket"),
        ("s3://bucket", "s3://bucket"),
        ("sqlite:////data/a:b@c.db", "sqlite:////data/a:b@c.db"),
    ],
)
def test_no_password_in_a_url_is_shown(url: str, shown: str) -> None:
    given: dict[str, Any] = {"storage_url": url}
    settings = Settings(**given)
    assert masked(url) == shown
    for told in (repr(settings), str(settings), str(effective(settings))):
        assert shown in told
        assert "s3cret" not in told


def wrong_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("DOCSTORE_PORT", "99999")
    monkeypatch.setenv("DOCSTORE_JWT_SECRET", "short")
    return run("config")


def test_wrong_settings_are_one_line_that_names_them(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = wrong_settings(run, monkeypatch)
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert "DOCSTORE_PORT" in line
    assert "DOCSTORE_JWT_SECRET" in line
