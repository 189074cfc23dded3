"""Whose files a command is about, and what that costs before it is known."""

import subprocess
import sys
from pathlib import Path

import pytest

from docstore.entrypoints.cli.targets import address
from unit.entrypoints.cli.conftest import Run


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def folder(run: Run, data: Path) -> str:
    """A store with one account."""
    assert run("users", "add", "ann@example.org", "--generate").exit_code == 0
    return str(data)


def test_a_folder_that_is_named_outranks_a_server_of_the_environment(
    run: Run, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCSTORE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("DOCSTORE_TOKEN", "no token at all")
    assert run("whoami", "--data-dir", folder).stdout == f"ann@example.org at {folder}\n"
    assert run("whoami", "--user", "ann@example.org").exit_code == 0


@pytest.mark.parametrize("other", ["--data-dir", "--user"])
def test_a_server_and_a_folder_exclude_each_other(run: Run, folder: str, other: str) -> None:
    result = run("ls", "--url", "http://there", other, folder)
    assert result.exit_code == 2
    assert "--url" in result.stderr


def test_a_folder_may_be_mounted_under_a_prefix(
    run: Run, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCSTORE_HTTP_PREFIX", "/api")
    assert run("ls", "--data-dir", folder).exit_code == 0


def test_temporary_files_may_be_kept_far_down(
    run: Run, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    assert run("ls", "--data-dir", folder).exit_code == 0


def test_a_folder_that_is_no_docstore_stays_as_it_is(run: Run, tmp_path: Path) -> None:
    result = run("ls", "--data-dir", str(tmp_path / "typo"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "typo holds no docstore" in result.stderr
    assert not (tmp_path / "typo").exists()


def test_of_several_accounts_one_is_to_be_named(run: Run, folder: str) -> None:
    assert run("users", "add", "bob@example.org", "--generate").exit_code == 0
    assert "--user" in run("ls", "--data-dir", folder).stderr
    assert run("ls", "--data-dir", folder, "--user", "bob@example.org").exit_code == 0
    assert "no account eve" in run("ls", "--data-dir", folder, "--user", "eve@x.org").stderr


@pytest.mark.parametrize("token", ["a\nb", "a b", "é"])
def test_what_is_no_token_is_named_by_its_variable(
    run: Run, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("DOCSTORE_TOKEN", token)
    result = run("ls")
    assert result.exit_code == 2
    assert "DOCSTORE_TOKEN" in result.stderr


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("files.example.org", "http://files.example.org"),
        ("https://example.org/api/", "https://example.org/api"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_is_kept_in_one_form(told: str, kept: str) -> None:
    assert address(told) == kept


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x:y", "http://ann:pw@x", "://"])
def test_what_is_no_address_is_wrong_use(run: Run, url: str) -> None:
    result = run("login", "ann@example.org", "--url", url, "--password-stdin", input="x\n")
    assert result.exit_code == 2
    assert "--url" in result.stderr


HEAVY = ("litestar", "sqlalchemy", "alembic", "dependency_injector", "uvicorn", "PIL", "kreuzberg")
ALL_COMMANDS = f"""
import sys, click
from docstore.entrypoints.cli import main
context = click.Context(main)
for name in main.list_commands(context):
    main.get_command(context, name).get_short_help_str()
print(*(name for name in {HEAVY} if name in sys.modules))
"""


def test_help_and_completion_load_no_server() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", ALL_COMMANDS], capture_output=True, check=True, timeout=60
    )
    assert loaded.stdout == b"PIL\n"  # the demo draws its samples


BASH = """
eval "$("$1" completion bash)"
COMP_WORDS=(docstore $2) COMP_CWORD=1
_docstore_completion "$1"
echo "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(("typed", "offered"), [("upl", "upload"), ("comp", "completion")])
def test_bash_completes(typed: str, offered: str) -> None:
    program = Path(sys.executable).with_name("docstore")
    if not program.exists():
        pytest.skip("docstore is not installed beside this Python")
    told = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", program, typed],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert told.stdout.decode().split() == [offered]


def test_nobody_reads_on_and_nothing_is_said(folder: str) -> None:
    """As `docstore ls | head`."""
    listing = subprocess.Popen(
        [sys.executable, "-m", "docstore.entrypoints.cli", "ls", "--data-dir", folder],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert listing.stdout is not None
    listing.stdout.close()
    listing.stdout = None
    _, said = listing.communicate(timeout=60)
    assert said == b""
