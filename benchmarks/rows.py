"""The rows of the table: what is done, to whom, and what it is compared with."""

from typing import Final

from memory import download_memory, upload_memory
from places import GIB
from reading import processed, step
from replicas import replica_rows
from row import Measure, Reference, Row
from seeding import count
from stage import Measured, Stage
from targets import Docstore

KIB: Final = 1024
DEEP: Final = 100  # pages before the last one
FEW: Final = 300  # files that downloads take in turn

BARE: Final = Reference(target="bare")
NGINX: Final = Reference(target="nginx")
BOTH: Final = (BARE, NGINX)
INLINE: Final = Reference(target="inline")  # docstore whose parsers run in threads of the worker


def raw_1g(stage: Stage) -> Measured:
    plan = stage.target.upload(size=GIB, source=str(stage.source), requests=1, keep_locations=True)
    measured, played = stage.moved(plan)
    _forget(stage, stage.big)
    stage.big = played.locations
    return measured


def form_1g(stage: Stage) -> Measured:
    assert isinstance(stage.target, Docstore)
    plan = stage.target.form(size=GIB, source=str(stage.source), requests=1, keep_locations=True)
    measured, played = stage.moved(plan)
    _forget(stage, played.locations)
    return measured


def raw_uploads(size: int, connections: int) -> Measure:
    def measure(stage: Stage) -> Measured:
        plan = stage.target.upload(size=size, connections=connections)
        return stage.answered(plan)[0]

    return measure


def forms_10k(stage: Stage) -> Measured:
    assert isinstance(stage.target, Docstore)
    return stage.answered(stage.target.form(size=10 * KIB, connections=32))[0]


def get_1g(stage: Stage) -> Measured:
    _need_big(stage)
    return stage.moved(stage.target.content(stage.big[:1], requests=2))[0]


def get_100k(stage: Stage) -> Measured:
    if not stage.small:
        plan = stage.target.upload(size=100 * KIB, connections=8, requests=FEW, keep_locations=True)
        stage.small = stage.prepared(plan).locations
    return stage.answered(stage.target.content(stage.small, connections=32))[0]


def ranges_64k(stage: Stage) -> Measured:
    _need_big(stage)
    plan = stage.target.content(stage.big[:1], connections=32, range_of=GIB, range_length=64 * KIB)
    return stage.answered(plan)[0]


def small_json(stage: Stage) -> Measured:
    return stage.answered(stage.target.plan(paths=["/json"], connections=32))[0]


def metadata(stage: Stage) -> Measured:
    return stage.answered(stage.target.plan(paths=stage.small, connections=32))[0]


def first_page(stage: Stage) -> Measured:
    paths = ["/files?page=1&page_size=20"]
    return stage.answered(stage.target.plan(paths=paths, connections=8))[0]


def deep_page(stage: Stage) -> Measured:
    assert isinstance(stage.target, Docstore)
    page = max(2, count(stage.target) // 20 - DEEP)
    paths = [f"/files?page={page}&page_size=20"]
    return stage.answered(stage.target.plan(paths=paths, connections=8))[0]


def by_cursor(stage: Stage) -> Measured:
    """The page after the first, by its cursor."""
    assert isinstance(stage.target, Docstore)
    with stage.target.client() as client:
        found = client.get("/files", params={"page_size": 20})
        cursor = found.raise_for_status().json()["next_cursor"]
    paths = [f"/files?cursor={cursor}&page_size=20"]
    return stage.answered(stage.target.plan(paths=paths, connections=8))[0]


def _forget(stage: Stage, locations: list[str]) -> None:
    for location in locations:
        stage.target.forget(location)


def _need_big(stage: Stage) -> None:
    if not stage.big:
        raw_1g(stage)


def table(*, files: int, long: bool) -> list[Row]:
    """All of them, in the order in which they are measured; `files` go through the pipeline."""
    return [
        Row(name="raw-1g", title="1 GiB upload, raw body", unit="MB/s", measure=raw_1g,
            references=(Reference(target="bare", least=0.9, is_floor=True), NGINX), most_cpu=2.2,
            repeats=2),
        Row(name="form-1g", title="1 GiB upload, form", unit="MB/s", measure=form_1g,
            references=(Reference(target="docstore", row="raw-1g", least=0.85),)),
        Row(name="raw-10k-1", title="10 KiB uploads, 1 connection", unit="/s",
            measure=raw_uploads(10 * KIB, 1), references=BOTH),
        Row(name="raw-10k-32", title="10 KiB uploads, 32 connections", unit="/s",
            measure=raw_uploads(10 * KIB, 32), references=BOTH),
        Row(name="form-10k-32", title="10 KiB uploads in forms, 32 connections", unit="/s",
            measure=forms_10k, references=(Reference(target="docstore", row="raw-10k-32"),)),
        Row(name="raw-100k-32", title="100 KiB uploads, 32 connections", unit="/s",
            measure=raw_uploads(100 * KIB, 32), references=BOTH),
        Row(name="full-10k-32", title="10 KiB uploads, 32 connections, on disk, each synced",
            unit="/s", measure=raw_uploads(10 * KIB, 32), subject="docstore-full",
            references=(Reference(target="docstore", row="raw-10k-32"),)),
        Row(name="full-100k-32", title="100 KiB uploads, 32 connections, on disk, each synced",
            unit="/s", measure=raw_uploads(100 * KIB, 32), subject="docstore-full",
            references=(Reference(target="docstore", row="raw-100k-32"),)),
        Row(name="get-1g", title="1 GiB download", unit="MB/s", measure=get_1g,
            references=(BARE, Reference(target="nginx", least=0.95))),
        Row(name="get-100k-32", title="100 KiB downloads, 32 connections", unit="/s",
            measure=get_100k, references=BOTH),
        Row(name="ranges-64k-32", title="random 64 KiB ranges of 1 GiB, 32 connections", unit="/s",
            measure=ranges_64k, references=BOTH),
        Row(name="json-32", title="a small constant, as JSON, 32 connections", unit="/s",
            measure=small_json, subject="bare"),
        Row(name="metadata-32", title="metadata by id, many rows, 32 connections", unit="/s",
            measure=metadata, subject="docstore-rows",
            references=(Reference(target="bare", row="json-32"),)),
        Row(name="list-first", title="list of 20, first page, 8 connections", unit="/s",
            measure=first_page, subject="docstore-rows",
            references=(Reference(target="bare", row="json-32"),)),
        Row(name="list-deep", title="list of 20, deep page, 8 connections", unit="/s",
            measure=deep_page, subject="docstore-rows",
            references=(Reference(target="docstore-rows", row="list-first"),)),
        Row(name="list-cursor", title="list of 20, by cursor, 8 connections", unit="/s",
            measure=by_cursor, subject="docstore-rows",
            references=(Reference(target="docstore-rows", row="list-first"),)),
        Row(name="pipeline", title=f"{files:,} uploads until all are processed", unit="/s",
            measure=processed(files)),
        Row(name="read-text", title=f"{files // 2:,} texts of 10 KiB until all are processed",
            unit="/s", measure=processed(files // 2, "text"),
            references=(Reference(target="docstore", row="pipeline"), INLINE)),
        Row(name="read-pdf", title=f"{files // 50:,} PDFs of 1 MiB until all are processed",
            unit="/s", measure=processed(files // 50, "pdf"), references=(INLINE,)),
        Row(name="read-jpeg", title=f"{files // 100:,} JPEGs of 12 Mpx until all are processed",
            unit="/s", measure=processed(files // 100, "jpeg"), references=(INLINE,)),
        Row(name="jail", title="one step in the jail over one in a thread", unit="ms",
            measure=step),
        Row(name="memory-up", title="memory over warm idle, 20 parallel uploads", unit="MiB",
            measure=upload_memory(long=long), most=64, subject="docstore-memory"),
        Row(name="memory-down", title="memory over warm idle, 20 parallel downloads", unit="MiB",
            measure=download_memory(long=long), most=64, subject="docstore-memory"),
        *replica_rows(files),
    ]  # fmt: skip
