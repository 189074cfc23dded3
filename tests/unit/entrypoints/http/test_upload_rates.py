"""How many files a user may upload, and what each answer tells of it."""

from collections.abc import Mapping
from typing import Any

import http_sf
import httpx
import pytest
from dependency_injector import providers
from litestar import Litestar

from docstore.adapters.rate_limits.memory import MemoryRateLimiter
from docstore.container import Container
from docstore.testing.rate_limiter import Clock

from .conftest import PASSWORD, Store, client_of, never

pytestmark = pytest.mark.anyio


@pytest.fixture
def changes() -> Mapping[str, Any]:
    return {"upload_rate": "3/minute"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def container(container: Container, clock: Clock) -> Container:
    container.rate_limits.override(providers.Object(MemoryRateLimiter(clock)))
    return container


def left(answer: httpx.Response) -> tuple[int, int]:
    """What remains, and the seconds until more does."""
    members: Any = http_sf.parse(answer.headers["RateLimit"].encode(), tltype="list")
    ((name, parameters),) = members
    assert name == "uploads"
    return parameters["r"], parameters["t"]


async def send(client: httpx.AsyncClient, path: str = "/files", **more: Any) -> httpx.Response:
    return await client.post(f"{path}?filename=a.txt", **{"content": b"x", **more})


async def test_beyond_the_rate_it_is_429_before_the_body_is_read(
    alice: httpx.AsyncClient, clock: Clock, store: Store
) -> None:
    for remaining in (2, 1, 0):
        answer = await send(alice)
        assert answer.status_code == 201
        assert left(answer)[0] == remaining
        clock.now += 10
    refused = await send(alice, content=never())
    assert refused.status_code == 429
    assert refused.json()["type"] == "/problems/rate-limited"
    assert refused.headers["Retry-After"] == "30"
    assert refused.json()["retry_after"] == 30
    assert left(refused) == (0, 30)
    clock.now += 30
    assert (await send(alice)).status_code == 201
    assert len(await store.files()) == 4


async def test_the_policy_is_told_as_structured_fields(alice: httpx.AsyncClient) -> None:
    answer = await send(alice)
    policy = http_sf.parse(answer.headers["RateLimit-Policy"].encode(), tltype="list")
    assert policy == [("uploads", {"q": 3, "w": 60})]
    assert answer.headers["RateLimit"] == '"uploads";r=2;t=60'


@pytest.mark.parametrize("changes", [{"upload_rate": "30/minute", "max_upload_bytes": 10}])
@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"content": b""}, 422),
        ({"content": b"x" * 11}, 413),
        ({"headers": {"Content-Encoding": "gzip"}}, 415),
        ({"headers": {"Idempotency-Key": " "}}, 400),
        ({"headers": {"Repr-Digest": "="}}, 400),
        ({"files": {"other": ("a", b"x")}, "content": None}, 422),
    ],
)
async def test_a_refusal_counts_and_tells(
    alice: httpx.AsyncClient, more: dict[str, Any], status: int
) -> None:
    answer = await send(alice, **more)
    assert answer.status_code == status
    assert left(answer)[0] == 29
    assert left(await send(alice))[0] == 28


async def test_each_file_of_a_form_counts(alice: httpx.AsyncClient, store: Store) -> None:
    two = [("file", (name, b"x")) for name in "ab"]
    answer = await alice.post("/upload", files=two)
    assert (answer.status_code, left(answer)[0]) == (201, 1)
    refused = await alice.post("/upload", files=two)
    assert (refused.status_code, left(refused)[0]) == (429, 0)
    assert len(await store.files()) == len(await store.blobs()) == 2, "all or nothing"


async def test_paths_and_tokens_of_one_user_are_one(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient, app: Litestar
) -> None:
    await send(alice, "/upload")
    await send(alice, "/files/")
    credentials = {"email": "alice@example.org", "password": PASSWORD}
    token = (await alice.post("/auth/login", json=credentials)).json()["access_token"]
    async with client_of(app) as other:
        other.headers["Authorization"] = f"Bearer {token}"
        assert left(await send(other))[0] == 0
        assert (await send(other)).status_code == 429
    assert left(await send(bob))[0] == 2


async def test_what_is_no_upload_tells_nothing(alice: httpx.AsyncClient) -> None:
    await send(alice)
    for path in ("/auth/me", "/health"):
        assert "RateLimit" not in (await alice.get(path)).headers


async def test_a_stranger_learns_nothing(nobody: httpx.AsyncClient) -> None:
    assert "RateLimit" not in (await send(nobody)).headers


@pytest.mark.parametrize("changes", [{"upload_rate": "off"}])
async def test_it_can_be_switched_off(alice: httpx.AsyncClient) -> None:
    for _ in range(20):
        answer = await send(alice)
        assert answer.status_code == 201
        assert "RateLimit" not in answer.headers


@pytest.mark.parametrize("changes", [{"upload_rate": "3/minute", "cors_origins": ["https://a.b"]}])
async def test_a_browser_may_read_it(alice: httpx.AsyncClient) -> None:
    answer = await send(alice, headers={"Origin": "https://a.b"})
    exposed = answer.headers["Access-Control-Expose-Headers"].lower()
    assert {"ratelimit", "ratelimit-policy"} <= {name.strip() for name in exposed.split(",")}


async def test_each_answer_is_described_with_it(nobody: httpx.AsyncClient) -> None:
    paths = (await nobody.get("/openapi.json")).json()["paths"]
    for path in ("/upload", "/files"):
        post = paths[path]["post"]
        for status, answer in post["responses"].items():
            assert {"RateLimit", "RateLimit-Policy"} <= answer["headers"].keys(), status
        assert "Retry-After" in post["responses"]["429"]["headers"]
        (key,) = [p for p in post["parameters"] if p["name"] == "Idempotency-Key"]
        assert (key["in"], key["schema"]["maxLength"]) == ("header", 255)
        assert {"409", "422", "429"} <= post["responses"].keys()
    assert "RateLimit" not in paths["/auth/me"]["get"]["responses"]["200"].get("headers", {})
    for path in ("/auth/login", "/auth/register"):
        assert "Retry-After" in paths[path]["post"]["responses"]["429"]["headers"]
