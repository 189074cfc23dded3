"""Health, the OpenAPI document, Swagger UI; and all of it under a prefix."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from litestar import Litestar

from docstore.container import Container
from docstore.domain.errors import Unavailable

from .conftest import client_of
from .test_files import uploaded

pytestmark = pytest.mark.anyio


async def test_a_process_that_serves_is_healthy(nobody: httpx.AsyncClient) -> None:
    answer = await nobody.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    head = await nobody.head("/health")
    assert (head.status_code, head.content) == (200, b"")


async def test_readiness_names_the_part_that_is_away(
    nobody: httpx.AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {"database": "ok", "storage": "ok", "queue": "ok"}
    answer = await nobody.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "parts": parts})

    async def away() -> None:
        raise Unavailable("secret/path")

    monkeypatch.setattr(container.blobs(), "ping", away, raising=False)
    answer = await nobody.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["status"] != "ok"
    assert answer.json()["parts"] == {**parts, "storage": "unavailable"}
    assert (await nobody.get("/health")).status_code == 200


async def test_without_its_queue_it_is_ready_all_the_same(
    nobody: httpx.AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> None:
        raise Unavailable("no answer in time")

    monkeypatch.setattr(container.queue(), "ping", away)
    answer = await nobody.get("/health/ready")
    parts = {"database": "ok", "storage": "ok", "queue": "unavailable"}
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded", "parts": parts})


@pytest.fixture
async def described(nobody: httpx.AsyncClient) -> dict[str, Any]:
    answer = await nobody.get("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


async def test_every_route_is_described(app: Litestar, described: dict[str, Any]) -> None:
    routes = {
        (re.sub(r":\w+", "", route.path), str(getattr(method, "value", method)).lower())
        for route in app.routes
        for method in route.methods
        if method != "OPTIONS"
    }
    assert routes == {(path, method) for path, method, _ in operations(described)}
    assert described["openapi"].startswith("3.1")


async def test_each_operation_is_complete(described: dict[str, Any]) -> None:
    identities = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(set(identities)) == len(identities)
    for path, _, operation in operations(described):
        assert operation["summary"]
        assert {"500", "503"} <= operation["responses"].keys()
        assert ("401" in operation["responses"]) or operation["security"] == [], path
        declared = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path))


async def test_bodies_are_described(described: dict[str, Any]) -> None:
    for path in ("/upload", "/files"):
        post = described["paths"][path]["post"]
        kinds = post["requestBody"]["content"]
        assert {"multipart/form-data", "application/octet-stream"} <= kinds.keys()
        form = kinds["multipart/form-data"]["schema"]["properties"]
        assert form.keys() == {"file", "title", "description", "tags", "metadata"}
        query = {p["name"] for p in post["parameters"] if p["in"] == "query"}
        assert query == {"filename", "title", "description", "tags"}
        assert {"201", "400", "401", "408", "413", "415", "422", "507"} <= post["responses"].keys()
    content = described["paths"]["/files/{id}/content"]["get"]["responses"]
    assert {"200", "206", "304", "404", "416"} <= content.keys()


async def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    names = set(re.findall(r"#/components/schemas/(\w+)", str(described)))
    assert names <= described["components"]["schemas"].keys()
    assert {"FileDetail", "FileView", "JobView", "ProblemView", "UserView"} <= names
    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


async def test_options_tells_every_method_to_everybody(
    nobody: httpx.AsyncClient, described: dict[str, Any]
) -> None:
    for path, methods in described["paths"].items():
        answer = await nobody.options(path)
        assert answer.status_code == 204
        allowed = {method.lower() for method in answer.headers["Allow"].split(", ")}
        assert allowed == {*methods, "options"}


async def test_limits_are_described(described: dict[str, Any]) -> None:
    listing = {p["name"]: p["schema"] for p in described["paths"]["/files"]["get"]["parameters"]}
    assert (listing["page"]["minimum"], listing["page_size"]["maximum"]) == (1, 100)
    (wait,) = [
        p for p in described["paths"]["/files/{id}"]["get"]["parameters"] if p["in"] == "query"
    ]
    assert (wait["name"], wait["schema"]["maximum"]) == ("wait", 60)


async def test_the_docs_come_from_here_alone(nobody: httpx.AsyncClient) -> None:
    page = await nobody.get("/docs")
    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(links) >= 3
    for link in links:
        assert link.startswith("/docs/")
        file = await nobody.get(link)
        assert file.status_code == 200
        assert file.content
    script = await nobody.get("/docs/start.js")
    assert '"/openapi.json"' in script.text
    assert script.headers["Content-Type"].startswith("text/javascript")


PREFIX = {"http_prefix": "/api/v1"}


@pytest.mark.parametrize("changes", [PREFIX])
async def test_a_prefix_stands_before_everything(alice: httpx.AsyncClient, app: Litestar) -> None:
    answer = await alice.post("/upload", files={"file": ("a.txt", b"x")})
    file = answer.json()
    assert answer.headers["Location"] == f"/api/v1/files/{file['id']}" == file["links"]["self"]
    assert file["links"]["content"] == f"/api/v1/files/{file['id']}/content"
    listing = await alice.get("/files")
    assert listing.links["first"]["url"].startswith("/api/v1/files?")
    assert (await alice.get("/nope")).json()["type"] == "/api/v1/problems/not-found"
    assert "/api/v1/openapi.json" in (await alice.get("/docs/start.js")).text
    assert "/api/v1/docs/swagger-ui.css" in (await alice.get("/docs")).text
    paths = (await alice.get("/openapi.json")).json()["paths"]
    assert all(path.startswith("/api/v1/") for path in paths)
    async with client_of(app) as outside:
        for path in ("/files", "/health", "/docs", "/openapi.json", "/api", "/problems/not-found"):
            missing = await outside.get(path)
            assert missing.status_code == 404
            assert missing.json()["type"] == "/api/v1/problems/not-found"


ORIGIN = "https://app.example"


@pytest.mark.parametrize("changes", [{"cors_origins": [ORIGIN]}])
async def test_only_named_origins_may_call(nobody: httpx.AsyncClient) -> None:
    for origin, allowed in (
        (ORIGIN, ORIGIN),
        ("https://app.example.evil", None),
        ("https://evil.example", None),
        ("null", None),
    ):
        for path in ("/health", "/nope"):
            answer = await nobody.get(path, headers={"Origin": origin})
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed
            assert "Access-Control-Allow-Credentials" not in answer.headers
    preflight = await nobody.options(
        "/files", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize("changes", [{"cors_origins": [ORIGIN]}])
async def test_an_answer_that_is_given_again_names_no_origin_of_before(
    alice: httpx.AsyncClient,
) -> None:
    path = f"/files/{(await uploaded(alice))['id']}"
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None), (ORIGIN, ORIGIN)):
        answer = await alice.get(path, headers={"Origin": origin})
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        assert answer.headers.get_list("Cache-Control") == ["private, no-store"]
    assert "Access-Control-Allow-Origin" not in (await alice.get(path)).headers


async def test_no_origin_may_call_by_default(nobody: httpx.AsyncClient) -> None:
    answer = await nobody.get("/health", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in answer.headers
