"""Who is asking: the bearer token becomes `request.user`, before anything else is looked at."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from docstore.application.accounts import Authenticate
from docstore.domain.errors import NotAuthenticated
from docstore.entrypoints.http.operations import UNSIGNED

MAX_TOKEN: Final = 8 * 1024  # characters
_BEARER: Final = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)


class SignedIn(ASGIMiddleware):
    """Lets only requests through that carry the token of a user."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = UNSIGNED

    def __init__(self, authenticate: Callable[[], Authenticate]) -> None:
        self._authenticate = authenticate

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        scope["user"] = await self._authenticate()(token_in(scope["headers"]))
        await next_app(scope, receive, send)


def token_in(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The one bearer token among the headers; NotAuthenticated when there is none, or two."""
    values = [value for name, value in headers if name == b"authorization"]
    if len(values) != 1:
        raise NotAuthenticated("one Authorization header with a bearer token is needed")
    match = _BEARER.fullmatch(values[0])
    if match is None or len(match[1]) > MAX_TOKEN:
        raise NotAuthenticated("the Authorization header carries no bearer token")
    return match[1].decode("ascii")
