"""Requests made up from the OpenAPI document: no answer is a 5xx, or one that it does not tell."""

import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.generation import GenerationMode

from docstore.entrypoints.http.app import OPEN, SIGNED_IN
from docstore.entrypoints.http.openapi import document
from integration.clients import final, signed_in, upload
from integration.servers import serving
from security.samples import PNG

Case = schemathesis.Case[Any]

SHORT: Final = 300  # requests
LONG: Final = {"full": 5_000, "long": 50_000}
DOCUMENT: Final = json.loads(document([*OPEN, *SIGNED_IN], ""))
SCHEMA: Final = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS: Final = {
    f"{method.upper()} {path}": SCHEMA[path][method]
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
}
CHECKS: Final = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
SEED: Final = int(os.environ.get("DOCSTORE_TEST_SEED") or random.SystemRandom().getrandbits(32))
"""Of the many requests; the few are always the same."""


@dataclass(frozen=True)
class Known:
    """A server, and what is on it."""

    url: str
    authorization: str
    client: httpx.Client
    files: dict[str, dict[str, Any]]  # by what became of them


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    folder = tmp_path_factory.mktemp("fuzz") / "data"
    unlimited = serving(folder, upload_rate="off", login_rate="1000000/minute", isolation="none")
    with unlimited as server, signed_in(server) as client:
        sent = {"words": (b"some words", "a.txt"), "picture": (PNG, "a.png")}
        sent |= {"broken": (PNG[:40], "b.png"), "other": (bytes(range(256)), "c.bin")}
        files = {kind: final(client, upload(client, *what)) for kind, what in sent.items()}
        yield Known(server.url, client.headers["Authorization"], client, files)


AIMS: Final = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([None, "new", "words", "picture", "broken", "other"]),
        "name": st.sampled_from([None, "thumbnail", "preview", "resized", "start.js"]),
        "slug": st.sampled_from([None, "not-found"]),
        "Range": st.sampled_from([None, "bytes=0-3", "bytes=-1", "bytes=0-0,3-4", "bytes=999-"]),
    }
)
"""What a request is aimed at. Nobody would guess it; None leaves it to chance."""


def requests(label: str, known: Known, number: int, start: int) -> Callable[[], None]:
    """That many, as the document wants them and as it does not."""
    operation = OPERATIONS[label]
    made = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

    @seed(start)
    @settings(
        max_examples=number, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(made, AIMS)
    def send(case: Case, aim: dict[str, str | None]) -> None:
        _aim(case, known, {name: value for name, value in aim.items() if value is not None})
        headers = {"Authorization": known.authorization}
        answer = case.call(base_url=known.url, headers=headers, timeout=30)
        case.validate_response(answer, checks=CHECKS)

    return send


def _aim(case: Case, known: Known, aim: dict[str, str]) -> None:
    """At what there is, where the route wants something."""
    if "Range" in aim and "Range" in (case.headers or {}):
        case.headers["Range"] = aim["Range"]
    told = {name: value for name, value in aim.items() if name in ("name", "slug")}
    if "kind" in aim:
        told |= _identity(case, known, aim["kind"])
    for place in (case.path_parameters or {}, case.query or {}):
        for name in place.keys() & told.keys():
            place[name] = told[name]


def _identity(case: Case, known: Known, kind: str) -> dict[str, str]:
    is_new = kind == "new" or case.operation.method.upper() == "DELETE"
    if is_new and "id" not in (case.path_parameters or {}):
        return {}
    if is_new:
        return {"id": upload(known.client)}
    file = known.files[kind]
    is_job = case.operation.path.startswith("/jobs")
    return {"id": file["jobs"][0]["id"] if is_job else file["id"], "key": file["key"]}


def each(number: int) -> int:
    """How many requests of each kind make `number` of all; of some there are but a few."""
    varied = [
        label
        for label, operation in OPERATIONS.items()
        if operation.body or operation.query or operation.path_parameters
    ]
    return -(-number // len(varied))


@pytest.mark.parametrize("label", OPERATIONS)
def test_a_few_hundred_requests(label: str, known: Known) -> None:
    requests(label, known, each(SHORT), 0)()


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("label", OPERATIONS)
def test_thousands_of_requests(label: str, known: Known) -> None:
    print(f"\nreplay with DOCSTORE_TEST_SEED={SEED}")
    number = each(LONG[os.environ.get("DOCSTORE_TEST_FAULTS", "full")])
    requests(label, known, number, SEED)()
