"""Rows of docstore on PostgreSQL, S3 and Redis, beside the embedded default; and of S3 beside what
its SDK does alone."""

from collections.abc import Iterator
from typing import Final

from cluster import OnS3
from memory import over_idle
from places import GIB
from plan import Plan, Played
from processes import settle
from reading import processed
from row import Measure, Reference, Row
from stage import Measured, Stage

KIB: Final = 1024
SIZES: Final = (1, 2, 4)  # API processes, and workers
DEAREST: Final = 1.3  # times what the SDK alone takes
ROOM: Final = 64  # MiB


def replica_rows(files: int) -> Iterator[Row]:
    """`files` go through the pipeline."""
    what = {
        "uploads": ("10 KiB uploads, 32 connections", uploads),
        "pipeline": (f"{files:,} uploads until all are processed", processed(files)),
    }
    for name, (title, measure) in what.items():
        yield from _for_each_size(f"cluster-{name}", title, measure)
    yield Row(
        name="s3-memory", title="memory over warm idle, 1 GiB upload to S3", unit="MiB",
        measure=s3_memory, subject="docstore-s3", most=ROOM, is_long=True,
    )  # fmt: skip
    yield Row(
        name="s3-1g", title="1 GiB upload to S3 over fput_object", unit="x", measure=over_sdk,
        subject="docstore-s3", most=DEAREST, repeats=3, is_long=True,
    )  # fmt: skip


def _for_each_size(name: str, title: str, measure: Measure) -> Iterator[Row]:
    """Each beside the embedded store, and those of more processes beside the one of the fewest."""
    least = SIZES[0]
    for size in SIZES:
        references = [Reference(target="docstore")]
        if size > least:
            references.append(Reference(target=f"cluster-{least}", row=f"{name}-{least}"))
        yield Row(
            name=f"{name}-{size}", title=f"{title}, {size} + {size} processes", unit="/s",
            measure=measure, subject=f"cluster-{size}", references=references, is_long=True,
        )  # fmt: skip


def uploads(stage: Stage) -> Measured:
    return stage.answered(stage.target.upload(size=10 * KIB, connections=32))[0]


def over_sdk(stage: Stage) -> Measured:
    """One after the other, the SDK first."""
    assert isinstance(stage.target, OnS3)
    settle(*stage.target.pids)
    stage.target.services.make_room()
    direct = stage.target.direct(stage.source)
    measured = _upload_1g(stage)
    through = GIB / measured.value / 1e6
    note = f"fput_object {direct:.2f} s, docstore {through:.2f} s"
    return Measured(
        value=through / direct, cpu=measured.cpu, load=measured.load, others=measured.others,
        note=f"{note} {measured.note}".strip(),
    )  # fmt: skip


def s3_memory(stage: Stage) -> Measured:
    measured, played = over_idle(stage, _plan_1g(stage))
    _forget(stage, played)
    return measured


def _upload_1g(stage: Stage) -> Measured:
    measured, played = stage.moved(_plan_1g(stage))
    _forget(stage, played)
    return measured


def _plan_1g(stage: Stage) -> Plan:
    return stage.target.upload(size=GIB, source=str(stage.source), requests=1, keep_locations=True)


def _forget(stage: Stage, played: Played) -> None:
    for location in played.locations:
        stage.target.forget(location)
