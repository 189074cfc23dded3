"""What a user of a real server does, over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx

from integration.servers import Server

TEXT: Final = b"The lamp was lit at dusk."
ACCOUNT: Final = {"email": "ann@example.org", "password": "a long enough password"}


@contextmanager
def signed_in(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        client.post("/auth/register", json=ACCOUNT)
        token = client.post("/auth/login", json=ACCOUNT).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def upload(client: httpx.Client, data: bytes = TEXT, name: str = "notes.txt") -> str:
    headers = {"Content-Type": "application/octet-stream"}
    answer = client.post("/files", params={"filename": name}, content=data, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def final(client: httpx.Client, file_id: str) -> dict[str, Any]:
    view: dict[str, Any] = client.get(f"/files/{file_id}", params={"wait": 20}).json()
    return view
