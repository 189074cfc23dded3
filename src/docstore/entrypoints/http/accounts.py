from typing import Any, Final, TypeVar

from litestar import Request
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from pydantic import BaseModel, ConfigDict, Field

from docstore.application.accounts import MAX_PASSWORD, MIN_PASSWORD
from docstore.application.docstore import Docstore
from docstore.domain.errors import InvalidField, TooLarge
from docstore.domain.user import User
from docstore.entrypoints.http.answers import Answer, shown
from docstore.entrypoints.http.bodies import AnyRequest
from docstore.entrypoints.http.client_address import client_address
from docstore.entrypoints.http.json_bodies import read_json
from docstore.entrypoints.http.operations import Operation, Wake, route
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


class Password(BaseModel):
    """The caller's password, once more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    password: str = Field(repr=False, examples=["correct horse battery staple"])


class Passwords(BaseModel):
    """The caller's password, and the one it is to be from now on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    old: str = Field(repr=False, examples=["correct horse battery staple"])
    new: str = Field(
        repr=False,
        examples=["an even better one"],
        json_schema_extra={"minLength": MIN_PASSWORD, "maxLength": MAX_PASSWORD},
    )


Secrets = TypeVar("Secrets", Credentials, Password, Passwords)

REGISTER: Final = Operation(
    body=Credentials,
    answers={201: UserView},
    refusals=(400, 403, 408, 409, 415, 422, 429),
    is_open=True,
    tag="accounts",
)
LOG_IN: Final = Operation(
    body=Credentials,
    answers={200: TokenView},
    refusals=(400, 401, 408, 415, 422, 429),
    is_open=True,
    tag="accounts",
)
ME: Final = Operation(answers={200: UserView}, refusals=(422,), tag="accounts")
CLOSE: Final = Operation(
    body=Password,
    answers={204: None},
    refusals=(400, 403, 408, 415, 422, 429),
    tag="accounts",
)
CHANGE: Final = Operation(
    body=Passwords,
    answers={204: None},
    refusals=(400, 403, 408, 409, 415, 422, 429),
    tag="accounts",
)


@route("POST", "/auth/register", REGISTER)
async def register(
    request: AnyRequest, docstore: NamedDependency[Docstore], settings: NamedDependency[Settings]
) -> ASGIApp:
    """Make an account.

    Addresses compare in NFKC and lower case. 403 while the operator keeps registration closed, 429
    after too many attempts at addresses that are taken.
    """
    read_query(request, NoQuery)
    sent = await _read(request, Credentials, settings.receive_timeout)
    user = await docstore.accounts.sign_up(
        email=sent.email,
        password=sent.password,
        address=client_address(request.scope, settings.proxies),
    )
    return shown(UserView.of(user), status=201)


@route("POST", "/auth/login", LOG_IN)
async def log_in(
    request: AnyRequest, docstore: NamedDependency[Docstore], settings: NamedDependency[Settings]
) -> ASGIApp:
    """Get a token.

    An unknown address and a wrong password are one and the same 401. After too many of them, for
    one account or from one client address, even the right password is 429 for a while.
    """
    read_query(request, NoQuery)
    sent = await _read(request, Credentials, settings.receive_timeout)
    issued = await docstore.accounts.log_in(
        email=sent.email,
        password=sent.password,
        address=client_address(request.scope, settings.proxies),
    )
    return shown(TokenView.of(issued.token, issued.lifetime))


@route("GET", "/auth/me", ME)
async def me(request: Request[User, Any, Any]) -> ASGIApp:
    """Who the token speaks for."""
    read_query(request, NoQuery)
    return shown(UserView.of(request.user))


@route("DELETE", "/auth/me", CLOSE)
async def close_account(
    request: Request[User, Any, Any],
    docstore: NamedDependency[Docstore],
    settings: NamedDependency[Settings],
    wake: NamedDependency[Wake],
) -> ASGIApp:
    """Delete the caller's account, with its files and jobs.

    Needs the password. A wrong one counts as a failure to sign in.
    """
    read_query(request, NoQuery)
    sent = await _read(request, Password, settings.receive_timeout)
    await docstore.accounts.close(
        request.user,
        password=sent.password,
        address=client_address(request.scope, settings.proxies),
    )
    wake()
    return Answer(status=204)


@route("POST", "/auth/password", CHANGE)
async def change_password(
    request: Request[User, Any, Any],
    docstore: NamedDependency[Docstore],
    settings: NamedDependency[Settings],
) -> ASGIApp:
    """Change the caller's password; every older token ends.

    A wrong `old` counts as a failure to sign in.
    """
    read_query(request, NoQuery)
    sent = await _read(request, Passwords, settings.receive_timeout)
    await docstore.accounts.change_password(
        request.user,
        old=sent.old,
        new=sent.new,
        address=client_address(request.scope, settings.proxies),
    )
    return Answer(status=204)


async def _read(request: AnyRequest, model: type[Secrets], patience: float) -> Secrets:
    """The body; when it is very long, what is wrong is a field, as with one a little too long."""
    try:
        return await read_json(request, model, patience)
    except TooLarge:
        raise InvalidField(("body", "longer than any address and password that fit")) from None
