"""Idempotency keys over real HTTP, on two processes that share nothing but the data directory."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from integration.clients import ACCOUNT, TEXT, final, signed_in
from integration.remains import change, remains, select
from integration.servers import Server, descendants, serving, wait_until_gone

AT_ONCE: Final = 50
KEY: Final = "8e03978e-40d5-43dd-bc93-6894a57f9324"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("two") / "data", api_processes="2") as started:
        yield started
        assert started.stop() == 0
        started.command("sweep", "--grace", "0")  # what killed requests have left
        assert started.command("fsck", "--grace", "0") == {"clean": True, "findings": []}


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A user with a key, who has no file."""
    with signed_in(server) as client:
        client.headers["Idempotency-Key"] = KEY
        yield client
        client.request("DELETE", "/auth/me", json={"password": ACCOUNT["password"]})


def api_processes(server: Server) -> list[int]:
    return [pid for pid in descendants(server.pid) if b"_api" in command_line(pid)]


def command_line(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


def send(client: httpx.Client, data: bytes = TEXT) -> httpx.Response:
    headers = {"Content-Type": "application/octet-stream"}
    return client.post("/files?filename=a.txt", content=data, headers=headers)


@pytest.mark.anyio
async def test_fifty_at_once_make_one_file(server: Server, client: httpx.Client) -> None:
    headers = dict(client.headers) | {"Content-Type": "application/octet-stream"}
    data, before = TEXT * 10_000, remains(server.data_dir).objects
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as many:
        sent = (many.post("/files?filename=a.txt", content=data) for _ in range(AT_ONCE))
        answers = await asyncio.gather(*sent)
        answers.append(await many.post("/files?filename=a.txt", content=data))
    told = {answer.content for answer in answers if answer.status_code == 201}
    refused = {
        (answer.status_code, answer.json()["type"])
        for answer in answers
        if answer.status_code != 201
    }
    assert len(told) == 1
    assert refused <= {(409, "/problems/in-progress")}
    assert answers[-1].status_code == 201
    file_id = answers[-1].json()["id"]
    assert final(client, file_id)["status"] == "processed"
    left = remains(server.data_dir)
    assert (left.files, left.jobs, left.unfinished) == (1, 1, frozenset())
    assert {Path(name).parts[-3] for name in left.objects - before} == {file_id}


def test_an_answer_outlives_the_processes(server: Server, client: httpx.Client) -> None:
    """To the byte, whoever is killed, and though the file has changed since."""
    first = send(client)
    assert first.status_code == 201
    final(client, first.json()["id"])
    kill_api(server)
    assert same(send(client), first)
    server.kill()
    server.start()
    client.base_url = httpx.URL(server.url)
    assert same(send(client), first)
    assert send(client, TEXT + b"!").status_code == 422
    assert remains(server.data_dir).files == 1


def same(one: httpx.Response, other: httpx.Response) -> bool:
    told = ("location", "etag", "content-type")
    return (one.status_code, one.content, [one.headers[name] for name in told]) == (
        other.status_code,
        other.content,
        [other.headers[name] for name in told],
    )


def test_the_key_of_a_killed_request_is_free_after_a_minute(
    server: Server, client: httpx.Client
) -> None:
    with half_an_upload(server, client):
        held = send(client)
        assert (held.status_code, held.json()["type"]) == (409, "/problems/in-progress")
        kill_api(server)
        assert send(client).status_code == 409
        change(server.data_dir, "UPDATE idempotency_keys SET expires_at = '2026-01-01 00:00:00'")
        made = send(client)
        assert made.status_code == 201
    assert same(send(client), made)
    left = remains(server.data_dir)
    assert (left.files, left.jobs) == (1, 1)


def kill_api(server: Server) -> None:
    """Both API processes; returns once there are new ones."""
    killed = api_processes(server)
    assert len(killed) == 2
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_until_gone(*killed)
    assert httpx.get(f"{server.url}/health", timeout=30).status_code == 200


@contextmanager
def half_an_upload(server: Server, client: httpx.Client) -> Iterator[None]:
    """While inside, or until it is cut, an upload is on its way under the key."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        head = (
            "POST /files?filename=a.txt HTTP/1.1",
            "Host: localhost",
            f"Authorization: {client.headers['Authorization']}",
            f"Idempotency-Key: {KEY}",
            "Content-Length: 10000000",
        )
        line.sendall("\r\n".join((*head, "", "")).encode() + TEXT)
        until = time.monotonic() + 20
        while not select(server.data_dir, "SELECT 1 FROM idempotency_keys"):
            assert time.monotonic() < until
            time.sleep(0.01)
        yield
