import re
from pathlib import Path

import pytest

from docstore.adapters.persistence.sql.postgresql.options import PREFIX, Options
from docstore.adapters.redis_server import RedisSettings
from docstore.adapters.storage.s3.credentials import S3Settings
from docstore.settings import Settings
from unit.docs.pages import DOCS

ROOT = DOCS.parent
WRITTEN = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def prose(page: Path) -> str:
    return re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_its_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", prose(page))
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not lost


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"])
def test_the_files_it_names_exist(name: str) -> None:
    """Every `path/to/it` in the text, from the root of the repository or of the package."""
    named = set(re.findall(r"`(\w[\w.-]*(?:/[\w.-]+)+|\w+\.(?:py|md|toml))`", prose(ROOT / name)))
    roots = (ROOT, ROOT / "src" / "docstore")
    lost = {path for path in named if not any((root / path).exists() for root in roots)}
    assert named
    assert not lost


def test_every_decision_is_in_the_index() -> None:
    folder = DOCS / "decisions"
    rows = (folder / "README.md").read_text()
    index = dict(re.findall(r"\((0\d{3}-[\w-]+\.md)\) \| (.+) \|", rows))
    decisions = {page.name: page.read_text().splitlines()[0] for page in folder.glob("0*.md")}
    assert decisions == {page: f"# {page[:4]} {title}" for page, title in index.items()}


def test_every_session_is_told_of() -> None:
    told = set(re.findall(r"^\| `nox -s (\w+)`", (ROOT / "CONTRIBUTING.md").read_text(), re.M))
    sessions = r"@nox\.session\b.*\ndef (\w+)"
    assert told == set(re.findall(sessions, (ROOT / "noxfile.py").read_text()))


OTHERS = {
    *("DOCSTORE_TEST_SEED", "DOCSTORE_TEST_FAULTS", "DOCSTORE_TEST_REQUIRE"),  # of the tests
    *("DOCSTORE_TEST_CORPUS", "DOCSTORE_TEST_KEEP"),
    *("DOCSTORE_URL", "DOCSTORE_TOKEN"),  # of the command line as a client
    *(f"DOCSTORE_{name.upper()}" for name in RedisSettings.model_fields),
    *(f"DOCSTORE_S3_{name.upper()}" for name in S3Settings.model_fields),
    *(f"{PREFIX}{name.upper()}" for name in Options.model_fields),  # of an adapter
}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_settings_it_names_exist(page: Path) -> None:
    known = {f"DOCSTORE_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"\bDOCSTORE_[A-Z0-9]+(?:_[A-Z0-9]+)*", page.read_text()))
    assert named <= known | OTHERS
