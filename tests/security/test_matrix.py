"""Who may do what: every route of the application, with every verb, asked by everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from secrets import token_hex
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from docstore.container import Container
from docstore.domain.ids import UserId
from docstore.entrypoints.http.app import create_app
from docstore.settings import Settings
from security.samples import PNG
from security.stand import ABSENT, PASSWORD, Stand

pytestmark = pytest.mark.anyio

Statuses = tuple[int, int, int, int]
"""For the owner, another user, nobody, and the owner once he is disabled."""

VERBS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
OPEN: Final = (200, 200, 200, 200)
OWN: Final = (200, 200, 401, 401)  # everybody has one, and no way to another's
OWNED: Final = (200, 404, 401, 401)

EXPECTED: Final[Mapping[str, Mapping[str, Statuses]]] = {
    "/health": {"GET": OPEN},
    "/health/ready": {"GET": OPEN},
    "/openapi.json": {"GET": OPEN},
    "/docs": {"GET": OPEN},
    "/docs/{name}": {"GET": OPEN},
    "/problems/{slug}": {"GET": OPEN},
    "/auth/register": {"POST": (201, 201, 201, 201)},
    "/auth/login": {"POST": (200, 200, 401, 401)},
    "/auth/me": {"GET": OWN, "DELETE": (204, 204, 401, 401)},
    "/auth/password": {"POST": (204, 204, 401, 401)},
    "/upload": {"POST": (201, 201, 401, 401)},
    "/files": {"GET": OWN, "POST": (201, 201, 401, 401)},
    "/files/{id}": {"GET": OWNED, "PATCH": OWNED, "DELETE": (204, 404, 401, 401)},
    "/files/{id}/content": {"GET": OWNED},
    "/files/{id}/text": {"GET": OWNED},
    "/files/{id}/renditions/{name}": {"GET": OWNED},
    "/files/{id}/retry": {"POST": (202, 404, 401, 401)},
    "/download": {"GET": OWNED},
    "/jobs": {"GET": OWN},
    "/jobs/{id}": {"GET": OWNED},
}
"""What a path answers. HEAD is as GET, OPTIONS is 204, and whatever is not here is 405."""


def routes() -> Mapping[str, set[str]]:
    """The verbs of each path, as the application has them."""
    app = create_app(Container(settings=Settings(**{})))
    found: dict[str, set[str]] = {}
    for route in app.routes:
        assert hasattr(route, "methods"), "a route of another kind"
        found.setdefault(route.path_format, set()).update(map(str, route.methods))
    return found


def as_listed(verb: str) -> str:
    return "GET" if verb == "HEAD" else verb


def is_told(path: str, verb: str) -> bool:
    return as_listed(verb) in EXPECTED[path]


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    listed = {
        path: {"OPTIONS", *verbs, *(["HEAD"] if "GET" in verbs else [])}
        for path, verbs in EXPECTED.items()
    }
    assert routes() == listed


@dataclass(frozen=True)
class Person:
    """Who asks, and what he needs to be himself."""

    client: httpx.AsyncClient
    email: str

    async def ask(self, verb: str, path: str, values: Mapping[str, str]) -> int:
        place = path.format(**values)
        query = {"/download": {"key": values["key"]}, "/files/{id}/retry": {"force": "true"}}
        answer = await self.client.request(
            verb, place, params=query.get(path), **self._body(verb, path)
        )
        return answer.status_code

    def _body(self, verb: str, path: str) -> Mapping[str, Any]:
        if verb == "POST" and path in ("/files", "/upload"):
            return {"files": {"file": ("a.txt", b"words")}}
        bodies = {
            "POST /auth/register": {"email": f"{token_hex(8)}@x.example", "password": PASSWORD},
            "POST /auth/login": {"email": self.email, "password": PASSWORD},
            "POST /auth/password": {"old": PASSWORD, "new": "another battery staple"},
            "DELETE /auth/me": {"password": PASSWORD},
            "PATCH /files/{id}": {"title": "mine"},
        }
        return {"json": bodies.get(f"{verb} {path}")}


async def joined(stand: Stand, name: str) -> Person:
    client = await stand.join(name)
    return Person(client, (await client.get("/auth/me")).json()["email"])


async def values_of(stand: Stand, path: str) -> Mapping[str, str]:
    """What the owner's file is called in the path."""
    data, name = (b"words", "a.txt") if path.endswith("/text") else (PNG, "a.png")
    view = await stand.process(await stand.upload(data, name, who="owner"), who="owner")
    ident = view["jobs"][0]["id"] if path.startswith("/jobs") else view["id"]
    name = "start.js" if path.startswith("/docs") else "thumbnail"
    return {"id": ident, "key": view["key"], "name": name, "slug": "not-found"}


TOLD: Final = [(path, verb) for path, verb in product(EXPECTED, VERBS) if is_told(path, verb)]
UNTOLD: Final = [(path, verb) for path, verb in product(EXPECTED, VERBS) if not is_told(path, verb)]


@pytest.mark.parametrize(("path", "verb"), TOLD)
async def test_who_may_do_what(path: str, verb: str, shared: Stand) -> None:
    owner, other = await joined(shared, "owner"), await joined(shared, "other")
    nobody = Person(shared.client("anon"), "nobody@x.example")
    values = await values_of(shared, path)
    user = UserId(UUID(shared.ids["owner"]))
    disable = partial(shared.docstore.accounts.set_disabled, user)

    nobody_s = await nobody.ask(verb, path, values)
    other_s = await other.ask(verb, path, values)
    await disable(disabled=True)
    disabled_s = await owner.ask(verb, path, values)
    await disable(disabled=False)
    # Last, since it may be the end of the file or of the account.
    owner_s = await owner.ask(verb, path, values)
    assert (owner_s, other_s, nobody_s, disabled_s) == EXPECTED[path][as_listed(verb)]


@pytest.mark.parametrize(("path", "verb"), UNTOLD)
async def test_what_is_no_verb_of_a_path_is_so_for_everybody(
    path: str, verb: str, shared: Stand
) -> None:
    values = dict.fromkeys(("id", "key"), ABSENT) | {"name": "start.js", "slug": "not-found"}
    people = [Person(shared.client(name), "") for name in ("alice", "bob", "anon")]
    statuses = [await person.ask(verb, path, values) for person in people]
    assert set(statuses) == {204 if verb == "OPTIONS" else 405}


def test_the_verbs_are_all_that_any_route_has() -> None:
    assert {verb for verbs in routes().values() for verb in verbs} <= set(VERBS)
