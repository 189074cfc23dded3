import json
from typing import Any

import pytest

from unit.entrypoints.cli.conftest import Run

WHO = "ann@example.org"
PASSWORD = "a long enough password"


@pytest.fixture
def ann(run: Run) -> dict[str, Any]:
    result = run("users", "add", WHO, "--password-stdin", "--json", input=f"{PASSWORD}\n")
    assert result.exit_code == 0, result.output
    user: dict[str, Any] = json.loads(result.stdout)
    return user


def listed(run: Run) -> list[dict[str, Any]]:
    users: list[dict[str, Any]] = json.loads(run("users", "list", "--json").stdout)
    return users


def test_an_added_user_is_listed(run: Run, ann: dict[str, Any]) -> None:
    assert listed(run) == [ann]
    assert (ann["email"], ann["disabled_at"]) == (WHO, None)
    assert PASSWORD not in json.dumps(ann)
    assert WHO in run("users", "list").stdout


def test_nobody_is_listed_at_first(run: Run) -> None:
    assert listed(run) == []
    assert run("users", "list").stdout == "there are no accounts yet\n"


def test_a_password_is_asked_for_twice(run: Run) -> None:
    result = run("users", "add", WHO, input=f"{PASSWORD}\n{PASSWORD}\n")
    assert (result.exit_code, result.stdout) == (0, f"{WHO}: added\n")
    assert PASSWORD not in result.output


def test_a_generated_password_is_shown_once(run: Run) -> None:
    made = json.loads(run("users", "add", WHO, "--generate", "--json").stdout)["password"]
    assert len(made) >= 20
    shown = run("users", "password", WHO, "--generate").stdout
    assert f"{WHO}: has a new password\npassword: " in shown
    assert made not in shown
    assert "password" not in listed(run)[0]


def test_a_password_comes_from_one_place(run: Run) -> None:
    result = run("users", "add", WHO, "--generate", "--password-stdin", input=PASSWORD)
    assert result.exit_code == 2


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", WHO, "--generate"), "taken"),
        (("add", "nobody", "--generate"), "not an e-mail address"),
        (("disable", "bob@example.org"), "no user"),
        (("password", "bob@example.org", "--generate"), "no user"),
        (("delete", "bob@example.org", "--yes"), "no user"),
    ],
)
def test_what_is_refused_is_one_line(run: Run, words: tuple[str, ...], said: str) -> None:
    result = run("users", *words)
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert said in line


def test_a_short_password_is_refused(run: Run) -> None:
    result = run("users", "add", WHO, "--password-stdin", input="short\n")
    assert result.exit_code == 1
    assert "8 to 256 characters" in result.stderr


@pytest.mark.usefixtures("ann")
def test_a_user_is_locked_out_and_let_in_again(run: Run) -> None:
    assert run("users", "disable", WHO).exit_code == 0
    assert listed(run)[0]["disabled_at"]
    assert "disabled" in run("users", "list").stdout
    assert run("users", "enable", WHO).exit_code == 0
    assert listed(run)[0]["disabled_at"] is None


@pytest.mark.usefixtures("ann")
def test_a_user_is_deleted_when_that_is_confirmed(run: Run) -> None:
    assert run("users", "delete", WHO, input="n\n").exit_code == 1
    assert len(listed(run)) == 1
    assert run("users", "delete", WHO, input="y\n").exit_code == 0
    assert listed(run) == []
