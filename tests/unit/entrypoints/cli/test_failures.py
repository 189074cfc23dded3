import sqlite3
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from docstore.domain.errors import InvalidField, NewerData, NotFound, OutOfSpace
from docstore.entrypoints.cli import main
from docstore.entrypoints.cli.failures import Exit, failure
from docstore.entrypoints.serving.address import CannotListen
from docstore.entrypoints.serving.crew import ChildFailed
from docstore.entrypoints.serving.folder import Held
from docstore.plugins import UnknownAdapter
from unit.entrypoints.cli.conftest import Run


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("user", "ann"), Exit.FAILED),
        (InvalidField(("email", "not an address")), Exit.FAILED),
        (OutOfSpace("no room"), Exit.FAILED),
        (CannotListen("taken"), Exit.FAILED),
        (PermissionError(13, "Permission denied", "/data"), Exit.FAILED),
        (RuntimeError("a bug"), Exit.FAILED),
        (UnknownAdapter("storage: 's4'"), Exit.WRONG_USE),
        (Held("held"), Exit.HELD),
        (NewerData("newer"), Exit.NEWER_DATA),
        (ChildFailed("worker", 4), Exit.NEWER_DATA),
        (ChildFailed("worker", 120), Exit.FAILED),
        (ExceptionGroup("several", [ExceptionGroup("more", [NewerData("newer")])]), 4),
    ],
)
def test_every_error_has_its_status(error: Exception, status: int) -> None:
    assert failure(error).exit_code == status


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NotFound("user", "an\x1b[31mn"), "no user an\\x1b[31mn"),
        (RuntimeError("two\nlines"), "two lines (docstore --debug ... shows where)"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError(13, "Permission denied", Path("/data")), "/data: Permission denied"),
    ],
)
def test_what_is_said_is_one_harmless_line(error: Exception, line: str) -> None:
    assert failure(error).message == line


def test_what_a_child_has_said_is_not_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    failure(ChildFailed("API process", 2)).show()
    assert capsys.readouterr().err == ""
    failure(ChildFailed("API process", 120)).show()
    assert capsys.readouterr().err == (
        "docstore: the API process ended with status 120, before it was up\n"
    )


def newer(run: Run, data: Path) -> None:
    assert run("migrate").exit_code == 0
    with sqlite3.connect(data / "docstore.db") as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.close()


@pytest.mark.parametrize("words", [("migrate",), ("users", "list"), ("fsck",), ("sweep",)])
def test_newer_data_is_refused(run: Run, data: Path, words: tuple[str, ...]) -> None:
    newer(run, data)
    result = run(*words)
    assert result.exit_code == Exit.NEWER_DATA
    (line,) = result.stderr.splitlines()
    assert line.startswith("docstore: the database is at revision 9999")


@pytest.mark.parametrize("command", ["serve", "worker", "fsck", "sweep"])
def test_a_store_in_memory_is_no_store_for_several_processes(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("DOCSTORE_DATABASE_URL", "memory://")
    result = run(command)
    assert result.exit_code == Exit.WRONG_USE
    assert "DOCSTORE_DATABASE_URL" in result.stderr


def test_an_unknown_adapter_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCSTORE_STORAGE_URL", "s4://bucket")
    result = run("users", "list")
    assert result.exit_code == Exit.WRONG_USE
    assert "'s4' is not one of" in result.stderr


def test_debug_shows_where(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCSTORE_STORAGE_URL", "s4://bucket")
    assert isinstance(run("--debug", "users", "list").exception, UnknownAdapter)


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert result.output.split()[1][0].isdigit()


def test_every_command_explains_itself() -> None:
    context = click.Context(main)
    for name in main.list_commands(context):
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0
        assert "--help" in result.output


def test_no_command_is_cut_short_in_the_overview() -> None:
    listed = CliRunner().invoke(main, ["--help"], terminal_width=80).output.split("Commands:")[1]
    assert "..." not in listed


def test_the_commands_of_the_children_are_not_shown() -> None:
    help = CliRunner().invoke(main, ["--help"]).output
    assert "_api" not in help
    assert "_worker" not in help
