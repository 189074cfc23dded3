"""What may be said of a request in a log or a metric: nothing that its client made up."""

from collections.abc import Sequence
from typing import Final

from litestar.types import Scope

from docstore.domain.file import File
from docstore.entrypoints.http.client_address import Networks, client_address

UNKNOWN: Final = "-"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PROXIES: Final = "docstore_proxies"
_STORED: Final = "docstore_stored"


def method_of(scope: Scope) -> str:
    """The method, if it is one that HTTP defines."""
    method = str(scope.get("method", ""))
    return method if method in _METHODS else UNKNOWN


def template_of(scope: Scope) -> str:
    """The route, such as `/files/{id}`; the path itself may hold anything."""
    return str(scope.get("path_template") or UNKNOWN)


def user_id_in(scope: Scope) -> str | None:
    """Who is signed in."""
    user = scope.get("user")
    return None if user is None else str(user.id)


def believe(scope: Scope, proxies: Networks) -> None:
    """Whose word is taken for where the request comes from."""
    scope["state"][_PROXIES] = proxies


def client_in(scope: Scope) -> str:
    """Where the request comes from: an IPv4 address, or an IPv6 network."""
    return client_address(scope, scope["state"].get(_PROXIES, ()))


def note_stored(scope: Scope, files: Sequence[File]) -> None:
    """An upload went well."""
    scope["state"][_STORED] = files


def stored_in(scope: Scope) -> Sequence[File]:
    """The files that the request uploaded."""
    found: Sequence[File] = scope["state"].get(_STORED, ())
    return found
