"""The same upload, sent again: what RFC 9110 cannot promise of a POST, a key can."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import pytest

from docstore.container import Container
from docstore.domain.idempotency import Claim, IdempotencyKey
from docstore.domain.ids import LeaseToken, UserId

from .conftest import PASSWORD, Store, Worker, never

pytestmark = pytest.mark.anyio

KEY: Final = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


async def send(
    client: httpx.AsyncClient,
    content: bytes = b"hello",
    path: str = "/files",
    headers: Mapping[str, str] = KEY,
    **params: Any,
) -> httpx.Response:
    return await client.post(
        path, content=content, params={"filename": "a.txt", **params}, headers=headers
    )


async def later(store: Store, by: timedelta) -> None:
    """Move the database's clock."""
    database = store.container.database()
    now = database.now
    database.now = lambda: now() + by


async def test_the_same_request_gets_the_same_answer(
    alice: httpx.AsyncClient, store: Store
) -> None:
    first, second = await send(alice), await send(alice)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    for header in ("Location", "ETag"):
        assert first.headers[header] == second.headers[header]
    assert len(await store.files()) == len(await store.blobs()) == 1


async def test_of_a_form_too(alice: httpx.AsyncClient, store: Store) -> None:
    def form() -> Sequence[tuple[str, Any]]:
        named = [("file", (name, name.encode())) for name in ("a.txt", "b.txt")]
        return [*named, ("tags", (None, "x")), ("metadata", (None, '{"b": 1, "a": 2}'))]

    first = await alice.post("/upload", files=form(), headers=KEY)
    again = await alice.post("/upload", files=[*reversed(form()[2:]), *form()[:2]], headers=KEY)
    assert first.status_code == 201, first.text
    assert again.content == first.content
    assert len(again.json()["items"]) == 2
    assert len(await store.files()) == 2
    turned = await alice.post("/upload", files=[*reversed(form()[:2]), *form()[2:]], headers=KEY)
    assert turned.status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        {"content": b"hullo"},
        {"path": "/upload"},
        {"filename": "b.txt"},
        {"title": "t"},
        {"description": "d"},
        {"tags": ["t"]},
    ],
)
async def test_another_request_is_422(
    alice: httpx.AsyncClient, store: Store, change: dict[str, Any]
) -> None:
    await send(alice)
    answer = await send(alice, **change)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/idempotency-key-reused"
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert len(await store.files()) == len(await store.blobs()) == 1


async def test_a_key_is_one_users(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient, store: Store
) -> None:
    hers, his = await send(alice), await send(bob, b"his own")
    assert his.status_code == 201
    assert his.json()["id"] != hers.json()["id"]


@pytest.mark.parametrize(
    "key", ["", " ", "a b", "x" * 256, "x" * 10_000, "a\tb", "\x01", "é".encode()]
)
async def test_what_is_no_key_is_400(
    alice: httpx.AsyncClient, store: Store, key: str | bytes
) -> None:
    headers = {"Idempotency-Key": key}
    request = alice.build_request(
        "POST",
        "/files?filename=a",
        content=never(),
        headers=headers,  # type: ignore[arg-type]  # str or bytes, as httpx takes them
    )
    answer = await alice.send(request)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/malformed-request"
    assert await store.is_empty()


async def test_two_keys_are_400(alice: httpx.AsyncClient) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = await alice.post("/files?filename=a", content=never(), headers=headers)
    assert answer.status_code == 400


async def test_the_longest_key_passes(alice: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "~" * 255}
    answers = [await send(alice, headers=headers) for _ in range(2)]
    assert answers[0].json()["id"] == answers[1].json()["id"]


async def test_without_a_key_equal_requests_are_many(
    alice: httpx.AsyncClient, store: Store
) -> None:
    for _ in range(100):
        assert (await send(alice, headers={})).status_code == 201
    assert len(await store.files()) == 100


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        ({"content": b""}, 422),
        ({"filename": "x" * 256}, 422),
        ({"headers": {**KEY, "Repr-Digest": f"sha-256=:{'A' * 43}=:"}}, 400),
        ({"content": b"x" * 2000}, 413),
        ({"content": b"MZ\x90\x00"}, 415),
    ],
)
@pytest.mark.parametrize(
    "changes", [{"max_upload_bytes": 1000, "allowed_media_types": ["text/plain"]}]
)
async def test_a_refusal_is_not_kept(
    alice: httpx.AsyncClient, store: Store, refused: dict[str, Any], status: int
) -> None:
    assert (await send(alice, **refused)).status_code == status
    assert await store.is_empty()
    assert (await send(alice)).status_code == 201


class Held:
    """A body that comes when a test says so."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.begun.set()
        yield b"hel"
        await self.go_on.wait()
        yield b"lo"


async def test_while_it_runs_it_is_409_as_soon_as_the_headers_are_in(
    alice: httpx.AsyncClient, store: Store
) -> None:
    held = Held()
    upload = asyncio.create_task(alice.post("/files?filename=a.txt", content=held, headers=KEY))
    await held.begun.wait()
    answer = await alice.post("/files?filename=a.txt", content=never(), headers=KEY)
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/in-progress"
    held.go_on.set()
    first = await upload
    assert first.status_code == 201
    assert (await send(alice)).content == first.content
    assert len(await store.files()) == 1


async def test_of_fifty_at_once_one_makes_a_file(alice: httpx.AsyncClient, store: Store) -> None:
    answers = await asyncio.gather(*(send(alice) for _ in range(50)))
    made = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert made
    assert len({answer.content for answer in made}) == 1
    assert len(await store.files()) == len(await store.blobs()) == 1


async def test_who_hangs_up_gives_the_key_back(alice: httpx.AsyncClient, store: Store) -> None:
    held = Held()
    upload = asyncio.create_task(alice.post("/files?filename=a.txt", content=held, headers=KEY))
    await held.begun.wait()
    upload.cancel()
    await asyncio.wait([upload])
    await asyncio.sleep(0.01)  # what is shielded outlives its request by a little
    assert await store.is_empty()
    assert (await send(alice)).status_code == 201


async def test_a_key_is_free_a_minute_after_its_process_died(
    alice: httpx.AsyncClient, store: Store
) -> None:
    await claimed(alice, store)
    assert (await send(alice)).status_code == 409
    await later(store, timedelta(seconds=59))
    assert (await send(alice)).status_code == 409
    await later(store, timedelta(seconds=2))
    assert (await send(alice)).status_code == 201


async def claimed(client: httpx.AsyncClient, store: Store) -> None:
    """A claim whose request died with its process."""
    user = (await client.get("/auth/me")).json()["id"]
    async with store.container.begin()() as tx:
        claim = Claim.of(
            UserId(UUID(user)),
            IdempotencyKey(KEY["Idempotency-Key"]),
            token=LeaseToken(uuid4()),
            now=await tx.now(),
        )
        await tx.claims.put(claim, before=None)
        await tx.commit()


async def test_an_answer_is_kept_for_a_day(alice: httpx.AsyncClient, store: Store) -> None:
    first = await send(alice)
    await later(store, timedelta(hours=23, minutes=59))
    alice.headers["Authorization"] = await token(alice)
    assert (await send(alice)).content == first.content
    await later(store, timedelta(minutes=2))
    assert (await send(alice)).json()["id"] != first.json()["id"]
    assert len(await store.files()) == 2


async def token(client: httpx.AsyncClient) -> str:
    credentials = {"email": "alice@example.org", "password": PASSWORD}
    answer = await client.post("/auth/login", json=credentials)
    return f"Bearer {answer.json()['access_token']}"


async def test_then_the_sweep_forgets_it(
    alice: httpx.AsyncClient, store: Store, container: Container
) -> None:
    await send(alice)
    sweep = container.docstore().background.sweep
    assert (await sweep(grace=timedelta(days=9))).claims == 0
    await later(store, timedelta(hours=24, seconds=1))
    assert (await sweep(grace=timedelta(days=9))).claims == 1
    assert len(await store.files()) == 1


async def test_the_first_answer_stands_whatever_becomes_of_the_file(
    alice: httpx.AsyncClient, store: Store, worker: Worker
) -> None:
    first = await send(alice)
    file_id = first.json()["id"]
    assert (await worker.process(alice, file_id))["status"] == "processed"
    assert (await send(alice)).content == first.content
    await alice.delete(f"/files/{file_id}")
    again = await send(alice)
    assert (again.status_code, again.content) == (201, first.content)
    assert (await alice.get(first.headers["Location"])).status_code == 404
    assert await store.files() == []
