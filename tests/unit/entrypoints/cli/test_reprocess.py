"""What is out of date, from the command line: with a processor that is upgraded meanwhile."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import docstore
from docstore.adapters.processors.image import ImageProcessor
from docstore.adapters.processors.text import TextProcessor
from docstore.domain.file import File
from docstore.domain.ids import FileId
from unit.entrypoints.cli.conftest import Run


@pytest.fixture(autouse=True)
def _in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A jail would load the processors as they are installed."""
    monkeypatch.setenv("DOCSTORE_ISOLATION", "none")


async def processed(store: docstore.Store, name: str, body: bytes) -> File:
    me = await store.accounts.ensure("me")
    file = await store.upload(me, body, filename=name)
    return await store.wait(me, file.id)


@pytest.fixture
def text(data: Path) -> File:
    """A text file, processed, among others."""

    async def upload() -> File:
        async with docstore.open(data) as store:
            await processed(store, "noise.bin", b"\x00\x01\x02")
            return await processed(store, "notes.txt", b"The lamp was lit at dusk.")

    return asyncio.run(upload())


def worked_on(data: Path, file_id: FileId) -> list[tuple[str, str]]:
    """Processor and version of each step, once there is nothing left to do."""

    async def wait() -> list[tuple[str, str]]:
        async with docstore.open(data) as store:
            me = await store.accounts.ensure("me")
            await store.wait(me, file_id)
            job = (await store.get(me, file_id)).jobs[0]
            return [(step.processor, step.version) for step in job.steps]

    return asyncio.run(wait())


def lines(run: Run, *options: str) -> list[dict[str, Any]]:
    result = run("reprocess", "--stale", "--json", *options)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_only_what_is_stale_is_processed(
    run: Run, data: Path, text: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = {"files": 2, "stale": 0, "queued": 0, "steps": {}}
    assert lines(run) == [fresh]
    assert run("reprocess", "--stale").stdout == "0 of 2 files will be processed again\n"
    monkeypatch.setattr(ImageProcessor, "version", "99")
    assert lines(run) == [fresh]
    monkeypatch.setattr(TextProcessor, "version", "99")
    listed, counts = lines(run, "--dry-run")
    assert listed == {
        "id": str(text.id), "filename": "notes.txt", "status": "processed", "steps": ["text"],
    }  # fmt: skip
    assert counts == {**fresh, "stale": 1, "steps": {"text": 1}}
    told = run("reprocess", "--stale", "--dry-run").stdout.splitlines()
    assert told == [
        f"{text.id}  notes.txt  text", "1 of 2 files would be processed again, text on 1",
    ]  # fmt: skip
    assert lines(run) == [{**fresh, "stale": 1, "queued": 1, "steps": {"text": 1}}]
    assert worked_on(data, text.id) == [("text", "99")]
    assert lines(run) == [fresh]


def test_what_to_process_has_to_be_said(run: Run) -> None:
    result = run("reprocess")
    assert result.exit_code == 2
    assert "--stale" in result.stderr


def test_a_processor_that_cannot_be_ordered_is_one_line(
    run: Run, data: Path, text: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TextProcessor, "after", ("txet",), raising=False)
    result = run("reprocess", "--stale")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "docstore: processors: text is to come after txet, which is not there\n"
    )


def test_the_steps_are_shown_with_the_file_and_with_its_jobs(
    run: Run, data: Path, text: File
) -> None:
    place = ("--data-dir", str(data))
    shown = run("get", str(text.id), *place)
    assert shown.exit_code == 0, shown.stderr
    step = next(line for line in shown.stdout.splitlines() if line.startswith("step:"))
    assert step.split(maxsplit=1)[1].startswith(
        f"text {TextProcessor.version} done: a text of 25 characters"
    )
    listed = run("jobs", *place)
    assert "text done" in listed.stdout
    jobs = [json.loads(line) for line in run("jobs", "--json", *place).stdout.splitlines()]
    assert [[step["state"] for step in job["steps"]] for job in jobs] == [["done"], []]
