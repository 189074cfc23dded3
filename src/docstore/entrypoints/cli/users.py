"""Accounts, by their operator."""

import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from docstore.application.docstore import Docstore
from docstore.domain.user import User
from docstore.entrypoints.cli.options import (
    data_dir_option,
    json_option,
    print_json,
    settings_for,
)
from docstore.entrypoints.cli.stores import must_outlive_a_process, with_store

T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])


@click.group()
def users() -> None:
    """Add, list, disable and delete accounts."""


def password_options(command: C) -> C:
    stdin = click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
    made = click.option("--generate", is_flag=True, help="Make a password and print it, once.")
    return stdin(made(command))


@users.command()
@click.argument("email")
@password_options
@data_dir_option
@json_option
def add(
    email: str, password_stdin: bool, generate: bool, data_dir: Path | None, as_json: bool
) -> None:
    """Make an account for EMAIL, also while registration is closed."""
    password, shown = _password(password_stdin, generate)

    async def act(docstore: Docstore) -> User:
        return await docstore.accounts.register(email=email, password=password)

    _tell(_act(data_dir, act), "added", as_json, shown)


@users.command("list")
@data_dir_option
@json_option
def list_(data_dir: Path | None, as_json: bool) -> None:
    """All accounts, in the order of their creation."""
    found = _act(data_dir, lambda docstore: docstore.accounts.list())
    if as_json:
        print_json([_view(user) for user in found])
    elif found:
        Console().print(_table(found))
    else:
        click.echo("there are no accounts yet")


@users.command()
@click.argument("email")
@data_dir_option
@json_option
def disable(email: str, data_dir: Path | None, as_json: bool) -> None:
    """Lock EMAIL out; its tokens end at once, its files stay."""
    _tell(_act(data_dir, lambda d: _set_disabled(d, email, True)), "disabled", as_json)


@users.command()
@click.argument("email")
@data_dir_option
@json_option
def enable(email: str, data_dir: Path | None, as_json: bool) -> None:
    """Let EMAIL in again."""
    _tell(_act(data_dir, lambda d: _set_disabled(d, email, False)), "enabled", as_json)


@users.command()
@click.argument("email")
@password_options
@data_dir_option
@json_option
def password(
    email: str, password_stdin: bool, generate: bool, data_dir: Path | None, as_json: bool
) -> None:
    """Set a new password for EMAIL; its tokens end at once."""
    new, shown = _password(password_stdin, generate)

    async def act(docstore: Docstore) -> User:
        user = await docstore.accounts.find(email)
        return await docstore.accounts.set_password(user.id, new)

    _tell(_act(data_dir, act), "has a new password", as_json, shown)


@users.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_dir_option
@json_option
def delete(email: str, yes: bool, data_dir: Path | None, as_json: bool) -> None:
    """Delete EMAIL with all its files."""
    if not yes:
        click.confirm(f"Delete {email} and all its files?", abort=True, err=True)

    async def act(docstore: Docstore) -> User:
        user = await docstore.accounts.find(email)
        await docstore.accounts.delete(user.id)
        return user

    _tell(_act(data_dir, act), "deleted", as_json)


def _act(data_dir: Path | None, act: Callable[[Docstore], Awaitable[T]]) -> T:
    settings = settings_for(data_dir)
    must_outlive_a_process(settings)
    return with_store(settings, act)


async def _set_disabled(docstore: Docstore, email: str, disabled: bool) -> User:
    user = await docstore.accounts.find(email)
    return await docstore.accounts.set_disabled(user.id, disabled=disabled)


def _password(from_stdin: bool, generate: bool) -> tuple[str, str | None]:
    """The password, and the same again when it was made here and must be shown."""
    if from_stdin and generate:
        raise click.UsageError("--password-stdin and --generate exclude each other")
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), None
    if generate:
        made = secrets.token_urlsafe(18)
        return made, made
    return click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True), None


def _tell(user: User, what: str, as_json: bool, made: str | None = None) -> None:
    if as_json:
        print_json({**_view(user), **({"password": made} if made else {})})
        return
    click.echo(f"{user.email}: {what}")
    if made:
        click.echo(f"password: {made}")


def _view(user: User) -> dict[str, object]:
    return {
        "id": str(user.id),
        "email": user.email,
        "external_id": user.external_id,
        "created_at": user.created_at.isoformat(),
        "disabled_at": user.disabled_at.isoformat() if user.disabled_at else None,
    }


def _table(found: Any) -> Table:
    table = Table("account", "created", "state", "id", box=None, pad_edge=False)
    for user in found:
        table.add_row(
            user.email or f"({user.external_id})",
            f"{user.created_at:%Y-%m-%d %H:%M}",
            "disabled" if user.is_disabled else "active",
            str(user.id),
        )
    return table
