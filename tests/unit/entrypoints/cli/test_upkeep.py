import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import docstore
from docstore.container import Container, running
from docstore.domain.file import File
from docstore.domain.ids import FileId
from docstore.domain.keys import staging_key
from docstore.entrypoints.serving import folder
from docstore.settings import Settings
from unit.entrypoints.cli.conftest import Run

TEXT = b"The lamp was lit at dusk."


@pytest.fixture
def stored(data: Path) -> File:
    async def upload() -> File:
        async with docstore.open(data, worker=False) as store:
            me = await store.accounts.ensure("me")
            return await store.upload(me, TEXT, filename="notes.txt")

    return asyncio.run(upload())


@pytest.fixture
def blob(data: Path, stored: File) -> Path:
    """The file on disk that holds the upload."""
    (path,) = (data / "blobs").rglob(f"*{stored.id}*")
    return next(each for each in (path, *path.rglob("*")) if each.is_file())


def check(run: Run, *options: str) -> tuple[int, dict[str, Any]]:
    result = run("fsck", "--json", *options)
    report: dict[str, Any] = json.loads(result.stdout)
    return result.exit_code, report


def troubles(report: dict[str, Any]) -> list[str]:
    return [finding["trouble"] for finding in report["findings"]]


@pytest.mark.usefixtures("stored")
def test_a_whole_store_is_clean(run: Run) -> None:
    assert check(run, "--grace", "0") == (0, {"clean": True, "findings": []})
    assert run("fsck").stdout == "all is well\n"


def test_missing_bytes_are_found(run: Run, blob: Path, stored: File) -> None:
    blob.unlink()
    status, report = check(run)
    assert (status, report["clean"], troubles(report)) == (1, False, ["missing"])
    assert report["findings"][0]["file_id"] == str(stored.id)
    text = run("fsck")
    assert text.exit_code == 1
    assert text.stdout.startswith("missing: staging/")


def test_changed_bytes_are_found_by_reading_them(run: Run, blob: Path) -> None:
    blob.chmod(0o600)
    blob.write_bytes(TEXT.swapcase())
    assert troubles(check(run)[1]) == ["wrong-hash"]
    assert check(run, "--fast") == (0, {"clean": True, "findings": []})
    blob.write_bytes(TEXT[1:])
    assert troubles(check(run, "--fast")[1]) == ["wrong-size"]


@pytest.fixture
def orphan(data: Path, stored: File) -> str:
    """The key of what an upload left that was killed before its row was written."""
    key = staging_key(FileId(uuid4()))
    changes: dict[str, Any] = {"data_dir": data}

    async def leave() -> None:
        container = Container(settings=Settings(**changes))
        async with running(container, worker=False):
            await container.blobs().put(key, one_chunk())

    asyncio.run(leave())
    return key


async def one_chunk() -> AsyncIterator[bytes]:
    yield b"x"


def test_bytes_without_a_row_are_found_and_swept_after_the_grace(run: Run, orphan: str) -> None:
    assert check(run) == (0, {"clean": True, "findings": []})
    assert json.loads(run("sweep", "--json").stdout)["blobs"] == 0
    status, report = check(run, "--grace", "0")
    assert (status, troubles(report), report["findings"][0]["key"]) == (1, ["orphan"], orphan)
    assert json.loads(run("sweep", "--json", "--grace", "0").stdout)["blobs"] == 1
    assert check(run, "--grace", "0")[0] == 0


@pytest.mark.usefixtures("stored")
def test_a_short_grace_is_refused_while_docstore_serves(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "ORPHAN_SECONDS", 0.0)
    with folder.held(data):
        assert run("sweep").exit_code == 0
        refused = run("sweep", "--grace", "5")
    assert refused.exit_code == 3
    assert "held by another docstore serve" in refused.stderr
    assert run("sweep", "--grace", "5").exit_code == 0


def test_a_negative_grace_is_wrong_use(run: Run) -> None:
    assert run("sweep", "--grace", "-1").exit_code == 2
