"""The demo against a server that misbehaves."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from docstore.entrypoints.demo.client import Client, Refused
from docstore.entrypoints.demo.journey import Trip, travel

TEXT = b"The lamp was lit at dusk."
TIMES = {
    "uploaded_at": "2025-01-31T06:30:00.000000Z",
    "updated_at": "2025-01-31T06:30:02.500000Z",
    "processed_at": None,
}

Answer = Callable[[httpx.Request], httpx.Response]


class Recorder:
    """Notes what it was told."""

    def __init__(self) -> None:
        self.statuses: list[str] = []
        self.sizes: list[int] = []

    def sent(self, trip: Trip, size: int) -> None:
        self.sizes.append(size)

    def moved(self, trip: Trip) -> None:
        self.statuses.append(trip.status)


def client_of(answer: Answer) -> Client:
    return Client("http://test", httpx.MockTransport(answer))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_bytes(TEXT)
    return path


def view(status: str) -> dict[str, Any]:
    return {"id": "1", "status": status, **TIMES}


def server(statuses: Iterator[str], content: bytes = TEXT) -> Answer:
    """Takes every file, gives `content` back, and shows one status after the other."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/content"):
            return httpx.Response(200, stream=httpx.ByteStream(content))
        if request.method == "POST":
            assert request.read() == TEXT
            return httpx.Response(201, json=view("uploaded"))
        return httpx.Response(200, json=view(next(statuses)))

    return answer


def test_a_file_is_followed_until_it_is_final(path: Path) -> None:
    seen = Recorder()
    with client_of(server(iter(["processing", "processed"]))) as client:
        (trip,) = travel(client, [path], seen)
    assert seen.statuses == ["uploaded", "processing", "processed"]
    assert seen.sizes == [len(TEXT)]
    assert (trip.went_well, trip.seconds) == (True, 2.5)


@pytest.mark.parametrize("content", [TEXT[:-1], TEXT + b"x", TEXT.swapcase(), b""])
def test_other_bytes_are_noticed(path: Path, content: bytes) -> None:
    with client_of(server(iter(["processed"]), content)) as client:
        (trip,) = travel(client, [path], Recorder())
    assert (trip.is_same, trip.went_well) == (False, False)


def test_a_failed_file_did_not_go_well(path: Path) -> None:
    with client_of(server(iter(["failed"]))) as client:
        (trip,) = travel(client, [path], Recorder())
    assert (trip.is_same, trip.went_well) == (True, False)


def test_a_refusal_costs_no_other_file(path: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    takes = server(iter(["processed"]))

    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers.get("Content-Length") == "0":
            problem = json.dumps({"detail": "file: the file is empty"})
            return httpx.Response(422, text=problem)
        return takes(request)

    with client_of(answer) as client:
        refused, taken = travel(client, [tmp_path / "empty.txt", path], Recorder())
    assert (refused.status, refused.went_well) == ("refused", False)
    assert refused.problem == "/files: 422 file: the file is empty"
    assert taken.went_well


def test_an_answer_without_a_reason_is_told_by_its_status() -> None:
    client = client_of(lambda _: httpx.Response(502, text="<html>"))
    with client, pytest.raises(Refused, match="/auth/register: 502 Bad Gateway"):
        client.sign_up()


def test_a_server_that_is_gone_is_told() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with client_of(answer) as client, pytest.raises(Refused, match="/auth/register: refused"):
        client.sign_up()
