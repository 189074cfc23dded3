import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from docstore.container import Container
from docstore.domain.names import MediaType
from docstore.plugins import UnknownAdapter, connect, load_all
from docstore.settings import Settings


def make(*arguments: object) -> object:
    return arguments


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint(name, value, "docstore.processors")
        for name, value in (("b", f"{__name__}:make"), ("broken", "no.such:thing"))
    ]
    monkeypatch.setattr("docstore.plugins.entry_points", lambda group: EntryPoints(points))


@pytest.mark.usefixtures("_installed")
def test_who_is_off_is_not_even_loaded() -> None:
    with pytest.raises(ModuleNotFoundError):
        load_all("processors", 1)
    assert load_all("processors", 1, off=["broken"]) == [(1,)]


@pytest.mark.usefixtures("_installed")
def test_who_is_not_installed_cannot_be_off() -> None:
    with pytest.raises(UnknownAdapter, match=r"DOCSTORE_PROCESSORS_OFF: 'txet' is not one of"):
        load_all("processors", 1, off=["txet"])


def test_the_setting_turns_them_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCSTORE_PROCESSORS_OFF", "image, Media")
    changes: dict[str, Any] = {"data_dir": tmp_path}
    settings = Settings(**changes)
    assert settings.processors_off == ("image", "media")
    extractor = Container(settings=settings).extractor()
    assert extractor.plan(MediaType("image/png")) == []
    assert [each.processor for each in extractor.plan(MediaType("text/plain"))] == ["text"]


def test_a_scheme_that_nobody_offers_is_told_with_those_that_are() -> None:
    with pytest.raises(UnknownAdapter, match=r"queue: 'carrier' is not one of \[.*'memory'"):
        connect("queue", "carrier://pigeon")


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_a_library_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    for module in [name for name in sys.modules if name.startswith("docstore.adapters.queue.dr")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(UnknownAdapter, match=rf"queue: '{scheme}' needs redis; .*\[{scheme}\]"):
        connect("queue", f"{scheme}://host/1")
