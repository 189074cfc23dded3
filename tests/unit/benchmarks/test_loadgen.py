"""The load generator against the bare handler: what it sends arrives, what it counts is so."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loadgen import play
from targets import Bare

KIB = 1024


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    with Bare.serving(tmp_path_factory.mktemp("bare")) as target:
        yield target


def test_small_bodies_are_whole_and_no_two_alike(bare: Bare) -> None:
    before = set(bare.data.iterdir())
    plan = bare.upload(size=10 * KIB, connections=3, requests=7, keep_locations=True)
    played = play(plan)
    stored = [path.read_bytes() for path in set(bare.data.iterdir()) - before]
    assert (played.requests, played.errors, played.sent) == (7, {}, 70 * KIB)
    assert len(played.locations) == 7
    assert {len(body) for body in stored} == {10 * KIB}
    assert len(set(stored)) == 7


def test_a_file_is_sent_as_it_is_and_comes_back(bare: Bare, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(3_000_001))
    plan = bare.upload(size=3_000_001, source=str(source), requests=1, keep_locations=True)
    (location,) = play(plan).locations
    stored = bare.data / location.rsplit("/", 1)[1]
    assert (
        hashlib.sha256(stored.read_bytes()).digest() == hashlib.sha256(source.read_bytes()).digest()
    )
    fetched = play(bare.content([location], requests=4, connections=2))
    assert (fetched.requests, fetched.errors, fetched.received) == (4, {}, 12_000_004)
    parts = play(bare.content([location], requests=5, range_of=3_000_001, range_length=1000))
    assert (parts.requests, parts.received) == (5, 5000)


def test_refusals_are_errors(bare: Bare) -> None:
    played = play(bare.plan(paths=["/nothing"], requests=2))
    assert (played.requests, played.errors) == (0, {"404": 2})


def test_it_stops_when_the_time_is_over(bare: Bare) -> None:
    played = play(replace(bare.plan(paths=["/json"], connections=2), seconds=0.05))
    assert played.requests > 0
    assert not played.errors
