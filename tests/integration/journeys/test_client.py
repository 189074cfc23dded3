"""The command line as a client: the same commands, at a server and in a folder."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result

from docstore.entrypoints.cli import main
from integration.clients import ACCOUNT, TEXT
from integration.servers import Server, serving

Run: TypeAlias = Callable[..., Result]

PASSWORD = f"{ACCOUNT['password']}\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("client") / "data") as started:
        yield started


def runner(*more: str) -> Run:
    def run(*words: str, input: str | None = None) -> Result:
        return CliRunner().invoke(main, [*words, *more], input=input)

    return run


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(params=["server", "folder"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Signed in; commands print nothing on stderr unless they fail."""
    if request.param == "folder":
        data = str(tmp_path / "data")
        added = CliRunner().invoke(
            main, ["users", "add", ACCOUNT["email"], "--password-stdin", "--data-dir", data],
            input=PASSWORD,
        )  # fmt: skip
        assert added.exit_code == 0, added.output
        return runner("--data-dir", data)
    url = request.getfixturevalue("server").url
    words = [ACCOUNT["email"], "--url", url, "--password-stdin"]
    if (signed_in := CliRunner().invoke(main, ["login", *words], input=PASSWORD)).exit_code:
        signed_in = CliRunner().invoke(main, ["register", *words], input=PASSWORD)
    assert signed_in.exit_code == 0, signed_in.output
    return runner()


def lines(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_file_and_a_folder_go_in_and_come_out(run: Run, here: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "a.txt").write_bytes(TEXT)
    (tree / "sub" / "b.md").write_bytes(b"# salt\n")
    (tree / ".hidden").write_bytes(b"x")
    (tree / "link").symlink_to(tree / "a.txt")
    given = ["upload", str(tree), "--tag", "sea", "--metadata", '{"n": 1}', "--wait", "--json"]
    files = {file["filename"]: file for file in lines(run(*given))}
    assert set(files) == {"a.txt", "b.md"}
    assert {file["status"] for file in files.values()} == {"processed"}
    assert files["a.txt"]["metadata"] == {"n": 1}
    ident = str(files["a.txt"]["id"])

    found = lines(run("ls", "--tag", "sea", "--name", "a.t", "--json"))
    assert ident in [file["id"] for file in found]
    assert ident in run("ls").stdout
    assert run("text", ident).stdout.encode().strip() == TEXT
    assert "a.txt" in run("get", ident).stdout

    assert run("download", ident).stdout == "a.txt\n"
    assert (here / "a.txt").read_bytes() == TEXT
    again = run("download", ident)
    assert (again.exit_code, again.stderr) == (
        1, "docstore: a.txt: is there already; --force writes over it\n",
    )  # fmt: skip
    assert run("download", ident, "-o", "-").stdout.encode() == TEXT

    changed = lines(run("edit", ident, "--title", "T", "--clear", "tags", "--json"))
    assert (changed[0]["title"], changed[0]["tags"]) == ("T", [])
    assert run("retry", ident).stderr.startswith(f"docstore: {ident}: ")
    assert run("retry", ident, "--force").stdout == f"{ident}  processing\n"
    assert len(lines(run("jobs", "--all", "--json"))) >= 3

    deleted = run("rm", "--yes", ident, "nonsense")
    assert (deleted.exit_code, deleted.stdout) == (1, f"{ident}  deleted\n")
    assert deleted.stderr == "docstore: nonsense: Not found\n"


def test_stdin_needs_a_name(run: Run) -> None:
    assert run("upload", "-", input="x").exit_code == 2
    (file,) = lines(run("upload", "-", "--name", "x.txt", "--json", input="some words"))
    assert (file["filename"], file["size"]) == ("x.txt", 10)


def test_one_that_is_refused_does_not_keep_the_others(run: Run, here: Path) -> None:
    (here / "empty").touch()
    (here / "full").write_bytes(TEXT)
    result = run("upload", str(here))
    assert result.exit_code == 1
    assert result.stdout.endswith("  full\n")
    assert "empty: " in result.stderr


def test_a_list_goes_on_beyond_one_page(run: Run, here: Path) -> None:
    for number in range(120):
        (here / f"{number:03}.txt").write_bytes(b"x")
    names = {str(f["filename"]) for f in lines(run("upload", str(here), "--json", "--jobs", "16"))}
    found = lines(run("ls", "--all", "--name", ".txt", "--sort", "filename", "--json"))
    assert names <= {str(file["filename"]) for file in found}
    assert len(lines(run("ls", "--limit", "5", "--json"))) == 5


def test_who_is_not_signed_in_is_told_how() -> None:
    result = runner()("ls")
    assert result.exit_code == 1
    assert "`docstore login`" in result.stderr


def test_signing_out_forgets_the_token(server: Server) -> None:
    words = (ACCOUNT["email"], "--url", server.url, "--password-stdin")
    runner()("register", *words, input=PASSWORD)
    assert runner()("login", *words, input=PASSWORD).exit_code == 0
    assert lines(runner()("whoami", "--json"))[0]["email"] == ACCOUNT["email"]
    assert runner()("login", *words, input="wrong password\n").exit_code == 1
    assert runner()("logout").exit_code == 0
    assert runner()("whoami").exit_code == 1


def test_the_doctor_tries_everything(tmp_path: Path) -> None:
    found = json.loads(runner("--data-dir", str(tmp_path / "d"), "--json")("doctor").stdout)
    assert {each["subject"] for each in found} >= {"database", "round trip", "parsers", "clock"}
    assert {each["level"] for each in found} <= {"ok", "warning"}
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "docstore.db").write_bytes(b"no database" * 100)
    broken = runner("--data-dir", str(tmp_path / "broken"))("doctor")
    assert broken.exit_code == 1
    assert "failed   migrations" in broken.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(shell: str) -> None:
    assert "_DOCSTORE_COMPLETE" in runner()("completion", shell).stdout
