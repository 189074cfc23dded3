import stat
from pathlib import Path

import pytest

from docstore.entrypoints.client.logins import Login, Logins, place

HERE = Login("http://here", "ann@example.org", "t1")
THERE = Login("http://there", "bob@example.org", "t2")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_what_is_kept_is_found_again_by_its_owner_alone() -> None:
    Logins.read().with_login(HERE).with_login(THERE).write()
    logins = Logins.read()
    assert (logins.find(None), logins.find("http://here")) == (THERE, HERE)
    assert logins.find("http://elsewhere") is None
    assert stat.S_IMODE(place().stat().st_mode) == 0o600
    assert stat.S_IMODE(place().parent.stat().st_mode) == 0o700
    assert [path.name for path in place().parent.iterdir()] == ["logins.json"]


def test_who_signs_out_is_forgotten() -> None:
    logins = Logins.read().with_login(HERE).with_login(THERE)
    assert logins.without("http://there").find(None) is None
    assert logins.without("http://here").find(None) == THERE


@pytest.mark.parametrize("kept", ["", "{", "[]", "null", '{"logins": 1}', '{"logins": {"x": 1}}'])
def test_what_cannot_be_read_is_nothing(kept: str) -> None:
    place().parent.mkdir(parents=True)
    place().write_text(kept)
    assert Logins.read() == Logins(None, {})
