"""Many files at once: each is told of for itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from docstore.entrypoints.cli import upload as module
from docstore.entrypoints.client.errors import Unreachable
from docstore.entrypoints.client.retrying import PATIENT
from docstore.entrypoints.client.uploading import upload as upload_it
from unit.entrypoints.cli.conftest import Run

NO_PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture
def client(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands about a store in a folder."""
    monkeypatch.setenv("DOCSTORE_ISOLATION", "none")
    monkeypatch.setenv("DOCSTORE_POLL_INTERVAL", "0.05")
    assert run("users", "add", "ann@example.org", "--generate").exit_code == 0

    def client(*words: str, input: str | None = None) -> Result:
        return run(*words, "--data-dir", str(data), input=input)

    return client


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, str]:
    """By name: some files that can be uploaded, and what cannot."""
    contents = {"a.txt": b"words", "b.txt": b"more words", "empty": b"", "no.png": NO_PNG}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in (*contents, "missing")}


def ids(result: Result) -> list[str]:
    return [line.split()[0] for line in result.stdout.splitlines()]


def test_each_file_that_fails_is_one_line(client: Run, paths: dict[str, str]) -> None:
    result = client("upload", *(paths[name] for name in ("missing", "a.txt", "empty", "b.txt")))
    assert result.exit_code == 1
    assert {line.split()[1] for line in result.stdout.splitlines()} == {"a.txt", "b.txt"}
    told = [line for line in result.stderr.splitlines() if line.startswith("docstore: ")]
    assert [line.split(": ")[1] for line in told] == [paths["missing"], paths["empty"]]


def test_what_is_not_there_alone_makes_the_status(client: Run, paths: dict[str, str]) -> None:
    result = client("upload", paths["a.txt"], paths["missing"])
    assert (result.exit_code, len(ids(result))) == (1, 1)


def test_waiting_tells_what_was_not_processed(client: Run, paths: dict[str, str]) -> None:
    result = client("upload", paths["a.txt"], paths["no.png"], "--wait")
    assert result.exit_code == 1
    assert sorted(line.split()[-1] for line in result.stdout.splitlines()) == [
        "failed", "processed",
    ]  # fmt: skip
    assert f"{paths['no.png']}: was stored, and not processed: " in result.stderr


def test_what_waits_for_a_worker_is_said(client: Run, paths: dict[str, str]) -> None:
    result = client("upload", paths["a.txt"])
    assert result.exit_code == 0
    assert "`docstore worker`" in result.stderr


def test_what_is_said_of_a_file_is_stored_with_it_or_it_is_not(
    client: Run, paths: dict[str, str]
) -> None:
    given = ("--title", "T", "--description", "é" * 9999, "--tag", "x", "--tag", "y")
    view = json.loads(client("upload", paths["a.txt"], *given, "--json").stdout)
    assert (view["title"], view["tags"], len(view["description"])) == ("T", ["x", "y"], 9999)
    too_much = json.dumps({"a": "x" * 17000})
    assert client("upload", paths["b.txt"], "--metadata", too_much).exit_code == 1
    assert len(ids(client("ls", "--json"))) == 1


@pytest.mark.parametrize("metadata", ["{", "[]", "1"])
def test_metadata_is_an_object(client: Run, paths: dict[str, str], metadata: str) -> None:
    result = client("upload", paths["a.txt"], "--metadata", metadata)
    assert result.exit_code == 2
    assert "--metadata" in result.stderr


@pytest.mark.parametrize(
    "words", [("-",), ("-", "a.txt", "--name", "x"), ("a.txt", "b.txt", "--name", "x")]
)
def test_a_name_is_for_one(client: Run, words: tuple[str, ...]) -> None:
    assert client("upload", *words, input="x").exit_code == 2


def test_a_server_that_is_gone_is_waited_for_once(
    client: Run, paths: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    async def send(*given: Any, tries: int) -> Any:
        tried.append(tries)
        if len(tried) < 3:
            raise Unreachable("no answer")
        return await upload_it(*given, tries=tries)

    monkeypatch.setattr(module, "send", send)
    result = client("upload", *[paths["a.txt"]] * 4, "--jobs", "1")
    assert (result.exit_code, len(ids(result))) == (1, 2)
    assert tried == [PATIENT, 1, 1, PATIENT]


def test_one_that_is_not_there_keeps_no_download(
    client: Run, paths: dict[str, str], tmp_path: Path
) -> None:
    (good,) = ids(client("upload", paths["a.txt"]))
    out = tmp_path / "out"
    out.mkdir()
    result = client("download", "nonsense", good, "../auth/me", "-o", str(out))
    assert (result.exit_code, result.stdout) == (1, f"{out / 'a.txt'}\n")
    assert result.stderr.splitlines() == [
        "docstore: nonsense: Not found", "docstore: ../auth/me: Not found",
    ]  # fmt: skip
    assert (out / "a.txt").read_bytes() == b"words"


@pytest.mark.parametrize("words", [("a", "b", "-o", "-"), ("a", "b", "-o", "x"), ("a", "-o", "x/")])
def test_a_place_that_does_not_fit_is_wrong_use(client: Run, words: tuple[str, ...]) -> None:
    result = client("download", *words)
    assert result.exit_code == 2
    assert "--output" in result.stderr


@pytest.mark.parametrize("command", ["get", "text", "edit", "retry", "rm"])
@pytest.mark.parametrize("file_id", ["../auth/me", "", ".."])
def test_an_id_never_leads_elsewhere(client: Run, command: str, file_id: str) -> None:
    more = {"edit": ["--title", "x"], "rm": ["--yes"]}.get(command, [])
    result = client(command, file_id, *more)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("Not found\n")


def test_text_as_json(client: Run, paths: dict[str, str]) -> None:
    (ident,) = ids(client("upload", paths["a.txt"], "--wait"))
    assert json.loads(client("text", ident, "--json").stdout) == {"id": ident, "text": "words"}
    assert client("text", ident).stdout == "words"
