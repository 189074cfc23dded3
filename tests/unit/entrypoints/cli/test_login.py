"""Signing in, at a server that is a function."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from docstore.entrypoints.client.logins import Logins
from unit.entrypoints.cli.conftest import Run

HERE = "http://127.0.0.1:8000"


class Server:
    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.answers: dict[str, httpx.Response] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append((str(request.url), json.loads(request.content)))
        token = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
        return self.answers.get(path, httpx.Response(200, json=token))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Server:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    found, real = Server(), httpx.AsyncClient
    monkeypatch.setattr(
        httpx, "AsyncClient",
        lambda **given: real(transport=httpx.MockTransport(found), **given),
    )  # fmt: skip
    return found


def test_a_password_is_read_or_asked_for_and_never_kept(run: Run, server: Server) -> None:
    result = run("login", "ann@example.org", "--password-stdin", input="correct horse\n")
    assert result.stdout == f"ann@example.org: signed in to {HERE} for 60 minutes\n"
    asked = run("login", input="bob@example.org\nbattery\n")
    assert "battery" not in asked.output
    assert [body["password"] for _, body in server.asked] == ["correct horse", "battery"]
    kept = Logins.read()
    assert (kept.current, kept.known[HERE].email) == (HERE, "bob@example.org")
    assert "battery" not in str(kept)


def test_registering_signs_in(run: Run, server: Server) -> None:
    words = ("register", "ann@example.org", "--url", "https://x.org/api", "--json")
    result = run(*words, "--password-stdin", input="correct horse\n")
    assert json.loads(result.stdout) == {
        "url": "https://x.org/api", "email": "ann@example.org", "expires_in": 3600,
    }  # fmt: skip
    assert [url for url, _ in server.asked] == [
        "https://x.org/api/auth/register", "https://x.org/api/auth/login",
    ]  # fmt: skip


def test_who_is_refused_stays_signed_in_as_before(run: Run, server: Server) -> None:
    assert run("login", "ann@example.org", "--password-stdin", input="x\n").exit_code == 0
    wrong = httpx.Response(401, json={"detail": "wrong address or password"})
    server.answers["/auth/login"] = wrong
    result = run("login", "bob@example.org", "--password-stdin", input="y\n")
    assert (result.exit_code, result.stderr) == (1, "docstore: wrong address or password\n")
    assert Logins.read().known[HERE].email == "ann@example.org"


@pytest.mark.parametrize(
    ("url", "warns"),
    [
        ("http://files.example.org", True),
        ("http://192.0.2.1:8000", True),
        ("https://files.example.org", False),
        ("http://localhost:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_a_password_that_others_can_read_is_warned_of(
    run: Run, server: Server, url: str, warns: bool
) -> None:
    result = run("login", "ann@example.org", "--url", url, "--password-stdin", input="x\n")
    assert result.exit_code == 0
    assert ("is not https" in result.stderr) is warns


def test_signing_out_as_json(run: Run, server: Server) -> None:
    assert run("login", "ann@example.org", "--password-stdin", input="x\n").exit_code == 0
    told = json.loads(run("logout", "--json").stdout)
    assert told == {"url": HERE, "email": "ann@example.org"}
    again = run("logout")
    assert (again.exit_code, again.stderr) == (1, "docstore: nobody is signed in there\n")
