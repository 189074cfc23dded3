"""Downloads that are answered by a link to the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from dependency_injector import providers

from docstore.adapters.storage.memory import MemoryBlobStore
from docstore.application.ports.blob_store import SignsUrls
from docstore.container import Container, running
from docstore.plugins import UnknownAdapter
from docstore.settings import Settings

from .conftest import MEMORY, Worker

pytestmark = pytest.mark.anyio

ON = {"redirects": "on", "redirect_seconds": 7}
REDIRECT = {"redirect": "true"}


@dataclass
class _Asked:
    key: str
    lifetime: timedelta
    media_type: str
    disposition: str


@dataclass
class SigningStore(MemoryBlobStore):
    """Says what it was asked to sign."""

    asked: list[_Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    async def signed_url(
        self, key: str, *, lifetime: timedelta, media_type: str, disposition: str
    ) -> str:
        self.asked.append(_Asked(key, lifetime, media_type, disposition))
        return f"https://store.example.org/{key}?signature=1"


@pytest.fixture
def changes() -> Mapping[str, Any]:
    return ON


@pytest.fixture(autouse=True)
def signing(container: Container) -> SigningStore:
    store = SigningStore()
    assert isinstance(store, SignsUrls)
    container.blobs.override(providers.Object(store))
    return store


@pytest.fixture
async def href(signing: SigningStore, alice: httpx.AsyncClient, worker: Worker) -> str:
    """Of a file that is processed."""
    answer = await alice.post("/files", content=b"a,b\n", params={"filename": "ü.csv"})
    view = await worker.process(alice, answer.json()["id"])
    assert view["status"] == "processed"
    found: str = view["links"]["content"]
    return found


async def test_a_link_is_given_to_whoever_asks_for_one(
    signing: SigningStore, alice: httpx.AsyncClient, href: str
) -> None:
    answer = await alice.get(href, params=REDIRECT)
    assert (answer.status_code, answer.content) == (307, b"")
    (asked,) = signing.asked
    assert answer.headers["location"] == f"https://store.example.org/{asked.key}?signature=1"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert asked.key.startswith("files/")
    assert asked.lifetime == timedelta(seconds=7)
    assert asked.media_type == "text/csv"
    assert asked.disposition == "attachment; filename=\"u.csv\"; filename*=UTF-8''%C3%BC.csv"


@pytest.mark.parametrize("query", [{}, {"redirect": "false"}])
async def test_nobody_else_is_sent_away(
    signing: SigningStore, alice: httpx.AsyncClient, href: str, query: Mapping[str, str]
) -> None:
    assert (await alice.get(href, params=query)).content == b"a,b\n"
    assert signing.asked == []


async def test_a_link_is_for_get_alone(
    signing: SigningStore, alice: httpx.AsyncClient, href: str
) -> None:
    assert (await alice.head(href, params=REDIRECT)).status_code == 200
    assert signing.asked == []


async def test_what_the_client_has_already_is_no_reason_for_a_link(
    signing: SigningStore, alice: httpx.AsyncClient, href: str
) -> None:
    etag = (await alice.get(href)).headers["etag"]
    answer = await alice.get(href, params=REDIRECT, headers={"If-None-Match": etag})
    assert answer.status_code == 304


async def test_what_is_to_be_shown_comes_from_here(
    signing: SigningStore, alice: httpx.AsyncClient, href: str
) -> None:
    """The store would not send the headers that make it safe."""
    answer = await alice.get(href, params={**REDIRECT, "disposition": "inline"})
    assert answer.status_code == 200
    assert signing.asked == []


async def test_before_it_is_processed_the_bytes_come_from_here(
    signing: SigningStore, alice: httpx.AsyncClient
) -> None:
    answer = await alice.post("/files", content=b"a,b\n", params={"filename": "a.csv"})
    content = await alice.get(answer.json()["links"]["content"], params=REDIRECT)
    assert (content.status_code, content.content) == (200, b"a,b\n")


async def test_another_users_file_has_no_link(
    signing: SigningStore, alice: httpx.AsyncClient, bob: httpx.AsyncClient, href: str
) -> None:
    assert (await bob.get(href, params=REDIRECT)).status_code == 404
    assert signing.asked == []


@pytest.mark.parametrize("value", ["1", "yes", "", "True"])
async def test_it_is_true_or_false(alice: httpx.AsyncClient, href: str, value: str) -> None:
    assert (await alice.get(href, params={"redirect": value})).status_code == 422


@pytest.mark.parametrize("changes", [{}])
async def test_unless_the_operator_allows_it_the_bytes_come_from_here(
    signing: SigningStore, alice: httpx.AsyncClient, href: str
) -> None:
    assert (await alice.get(href, params=REDIRECT)).status_code == 200


async def test_a_store_that_cannot_sign_stops_the_start() -> None:
    given: dict[str, Any] = {**MEMORY, **ON, "isolation": "none"}
    settings = Settings(**given)
    with pytest.raises(UnknownAdapter, match="DOCSTORE_REDIRECTS"):
        async with running(Container(settings=settings)):
            pytest.fail("it started")
