import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from docstore.domain.errors import DocstoreError
from docstore.domain.failure import FailureCode
from docstore.entrypoints.http.errors import STATUS
from docstore.settings import Settings
from unit.docs.pages import DOCS

NO_LIMIT = {"port", "metrics_port", "access_log"}  # numbers to Python, but not of anything


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under `heading`."""
    chapter = (DOCS / "limits.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in chapter.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def settings() -> list[tuple[str, str]]:
    """Each setting on the page, and its default: what stands in backticks, or nothing."""
    found = []
    for heading in (
        "Uploads", "Downloads", "Passwords", "Processing", "Waiting and work in the background",
    ):  # fmt: skip
        for _, setting, default, _ in rows(heading):
            told = re.match(r"`(.*?)`", default)
            found.append((setting.strip("`"), told[1] if told else ""))
    return found


def errors(kind: type[DocstoreError] = DocstoreError) -> Iterator[type[DocstoreError]]:
    yield kind
    for more in kind.__subclasses__():
        yield from errors(more)


def default_of(name: str) -> Any:
    return Settings.model_fields[name].default


@pytest.mark.parametrize(("setting", "told"), settings())
def test_the_defaults_are_those_of_the_settings(setting: str, told: str) -> None:
    default = default_of(setting.removeprefix("DOCSTORE_").lower())
    if isinstance(default, tuple):
        assert told == ",".join(default)
    else:
        assert type(default)(told) == default


def test_every_number_among_the_settings_is_on_the_page() -> None:
    numbers = {
        f"DOCSTORE_{name.upper()}"
        for name in Settings.model_fields
        if isinstance(default_of(name), int | float) and name not in NO_LIMIT
    }
    assert numbers <= {setting for setting, _ in settings()}


@pytest.mark.parametrize(("what", "told", "beyond", "where"), rows("Fixed limits"))
def test_the_fixed_limits_are_those_of_the_code(
    what: str, told: str, beyond: str, where: str
) -> None:
    module, name = where.strip("`").split(":")
    assert float(told.strip("`")) == getattr(import_module(f"docstore.{module}"), name), what
    assert beyond


def test_the_errors_are_answered_with_the_status_that_the_page_tells() -> None:
    page = (DOCS / "limits.md").read_text()
    told = {(slug, int(status)) for status, slug in re.findall(r"(\d{3})\s`([a-z-]+)`", page)}
    known = {
        (kind.code, next(STATUS[base] for base in kind.__mro__ if base in STATUS))
        for kind in errors()
    }
    assert len(told) > 5
    assert told <= known


def test_the_failures_have_codes_that_exist() -> None:
    page = (DOCS / "limits.md").read_text()
    told = set(re.findall(r"`failed`, `(\w+)`", page))
    assert told == {code.value for code in FailureCode} - {"corrupt", "unavailable"}
