from typing import Any, Final

from litestar import Request
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from pydantic import BaseModel, ConfigDict, Field

from docstore.application.accounts import MAX_PASSWORD, MIN_PASSWORD
from docstore.application.docstore import Docstore
from docstore.domain.user import User
from docstore.entrypoints.http.answers import shown
from docstore.entrypoints.http.bodies import AnyRequest
from docstore.entrypoints.http.json_bodies import read_json
from docstore.entrypoints.http.operations import Operation, route
from docstore.entrypoints.http.queries import NoQuery, read_query
from docstore.entrypoints.http.views import TokenView, UserView
from docstore.settings import Settings


class Credentials(BaseModel):
    """An e-mail address and a password of 8 to 256 characters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    email: str = Field(examples=["ada@example.org"], json_schema_extra={"format": "email"})
    password: str = Field(
        repr=False,
        examples=["correct horse battery staple"],
        json_schema_extra={"minLength": MIN_PASSWORD, "maxLength": MAX_PASSWORD},
    )


REGISTER: Final = Operation(
    body=Credentials,
    answers={201: UserView},
    refusals=(400, 403, 408, 409, 413, 415, 422),
    is_open=True,
    tag="accounts",
)
LOG_IN: Final = Operation(
    body=Credentials,
    answers={200: TokenView},
    refusals=(400, 401, 408, 413, 415, 422, 429),
    is_open=True,
    tag="accounts",
)
ME: Final = Operation(answers={200: UserView}, refusals=(422,), tag="accounts")


@route("POST", "/auth/register", REGISTER)
async def register(
    request: AnyRequest, docstore: NamedDependency[Docstore], settings: NamedDependency[Settings]
) -> ASGIApp:
    """Make an account.

    Addresses compare in NFKC and lower case. 403 while the operator keeps registration closed.
    """
    read_query(request, NoQuery)
    sent = await read_json(request, Credentials, settings.receive_timeout)
    user = await docstore.accounts.sign_up(email=sent.email, password=sent.password)
    return shown(UserView.of(user), status=201)


@route("POST", "/auth/login", LOG_IN)
async def log_in(
    request: AnyRequest, docstore: NamedDependency[Docstore], settings: NamedDependency[Settings]
) -> ASGIApp:
    """Get a token.

    An unknown address and a wrong password are one and the same 401.
    """
    read_query(request, NoQuery)
    sent = await read_json(request, Credentials, settings.receive_timeout)
    issued = await docstore.accounts.log_in(email=sent.email, password=sent.password)
    return shown(TokenView.of(issued.token, issued.lifetime))


@route("GET", "/auth/me", ME)
async def me(request: Request[User, Any, Any]) -> ASGIApp:
    """Who the token speaks for."""
    read_query(request, NoQuery)
    return shown(UserView.of(request.user))
