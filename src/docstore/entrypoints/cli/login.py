"""Signing in to a server, and out of it."""

import asyncio
import sys
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, TypeVar

import click
import httpx

from docstore.entrypoints.cli.failures import Failure
from docstore.entrypoints.cli.options import json_option, print_json
from docstore.entrypoints.cli.targets import DEFAULT, Target, address, target_options
from docstore.entrypoints.client.logins import Login, Logins
from docstore.entrypoints.client.session import ANSWER, Json, Session

C = TypeVar("C", bound=Callable[..., Any])


def server_options(command: C) -> C:
    url = click.option("--url", envvar="DOCSTORE_URL", default=DEFAULT, show_default=True)
    stdin = click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
    return url(stdin(click.argument("email", required=False)(command)))


@click.command()
@server_options
@json_option
def login(email: str | None, url: str, password_stdin: bool, as_json: bool) -> None:
    """Sign in as EMAIL. The commands that follow are about that server."""
    _sign_in(address(url), *_asked(email, password_stdin), is_new=False, as_json=as_json)


@click.command()
@server_options
@json_option
def register(email: str | None, url: str, password_stdin: bool, as_json: bool) -> None:
    """Make an account for EMAIL at a server, and sign in."""
    asked = _asked(email, password_stdin, confirm=True)
    _sign_in(address(url), *asked, is_new=True, as_json=as_json)


@click.command()
@click.option("--url", envvar="DOCSTORE_URL", help="The server. Else the one signed in to last.")
@json_option
def logout(url: str | None, as_json: bool) -> None:
    """Forget the token of a server. It ends by itself; a new password ends it at once."""
    logins = Logins.read()
    known = logins.find(address(url) if url else None)
    if known is None:
        raise Failure("nobody is signed in there")
    logins.without(known.url).write()
    if as_json:
        print_json({"url": known.url, "email": known.email})
    else:
        click.echo(f"signed out of {known.url}")


@click.command()
@target_options
@json_option
def whoami(target: Target, as_json: bool) -> None:
    """The account that is signed in."""

    async def act(session: Session) -> tuple[Json, str]:
        return await session.ask("GET", "/auth/me"), str(session.http.base_url).rstrip("/")

    me, where = target.run(act)
    if as_json:
        print_json(me)
    else:
        click.echo(f"{me['email'] or me['id']} at {target.data_dir or where}")


def _asked(email: str | None, from_stdin: bool, *, confirm: bool = False) -> tuple[str, str]:
    email = email or click.prompt("E-mail", err=True)
    if from_stdin:
        return email, sys.stdin.readline().rstrip("\r\n")
    password = click.prompt("Password", hide_input=True, confirmation_prompt=confirm, err=True)
    return email, password


def _sign_in(url: str, email: str, password: str, *, is_new: bool, as_json: bool) -> None:
    if _is_readable_on_its_way(url):
        click.echo(f"docstore: {url} is not https: the password can be read on its way", err=True)
    token = asyncio.run(_token(url, {"email": email, "password": password}, is_new))
    Logins.read().with_login(Login(url, email, token["access_token"])).write()
    if as_json:
        print_json({"url": url, "email": email, "expires_in": token["expires_in"]})
    else:
        click.echo(f"{email}: signed in to {url} for {token['expires_in'] // 60} minutes")


def _is_readable_on_its_way(url: str) -> bool:
    parsed = httpx.URL(url)
    if parsed.scheme == "https":
        return False
    try:
        return not ip_address(parsed.host).is_loopback
    except ValueError:
        return parsed.host != "localhost"


async def _token(url: str, credentials: dict[str, str], is_new: bool) -> Json:
    async with httpx.AsyncClient(base_url=url, timeout=ANSWER) as http:
        session = Session(http)
        if is_new:
            await session.ask("POST", "/auth/register", json=credentials)
        return await session.ask("POST", "/auth/login", json=credentials)
