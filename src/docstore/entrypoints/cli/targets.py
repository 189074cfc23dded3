"""Whose files a command is about: at a server by its URL, or in a folder on this machine."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import httpx

from docstore.entrypoints.cli.failures import Failure
from docstore.entrypoints.cli.options import settings_for
from docstore.entrypoints.cli.stores import must_outlive_a_process
from docstore.entrypoints.client.errors import WhoseFiles
from docstore.entrypoints.client.logins import Logins
from docstore.entrypoints.client.session import ANSWER, Session

DEFAULT: Final = "http://127.0.0.1:8000"

T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Target:
    """What the options of a command say."""

    url: str | None
    token: str | None
    data_dir: Path | None
    user: str | None

    def run(self, act: Callable[[Session], Awaitable[T]], *, works: bool = False) -> T:
        """What `act` makes of a session there. `works`: a folder's files are processed, too."""

        async def inside() -> T:
            async with self._session(works) as session:
                return await act(session)

        return asyncio.run(inside())

    @property
    def is_local(self) -> bool:
        return self.data_dir is not None or self.user is not None

    @asynccontextmanager
    async def _session(self, works: bool) -> AsyncIterator[Session]:
        if self.is_local:
            async with self._folder(works) as session:
                yield session
            return
        url, token = self._login()
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=ANSWER) as http:
            yield Session(http)

    @asynccontextmanager
    async def _folder(self, works: bool) -> AsyncIterator[Session]:
        from docstore.entrypoints.client.local import local  # all of the API, which takes a while

        settings = settings_for(self.data_dir, upload_rate="off", log_level="warning")
        must_outlive_a_process(settings)
        if not settings.database_url and not (settings.data_dir / "docstore.db").exists():
            advice = "`docstore serve` or `docstore users add` makes one"
            raise WhoseFiles(f"{settings.data_dir} holds no docstore; {advice}")
        async with local(settings, self.user, works=works) as session:
            yield session

    def _login(self) -> tuple[str, str]:
        url = address(self.url) if self.url else None
        known = Logins.read().find(url)
        if self.token:
            return url or (known.url if known else DEFAULT), self.token
        if known is None:
            where = f" at {url}" if url else ""
            raise Failure(
                f"nobody is signed in{where}: `docstore login` does it, DOCSTORE_TOKEN gives a "
                "token, --data-dir names a folder"
            )
        return known.url, known.token


def target_options(command: C) -> C:
    """--url, --data-dir and --user, given to the command as its `target`."""

    @click.option("--url", envvar="DOCSTORE_URL", help="The server. Else the one signed in to.")
    @click.option("--token", envvar="DOCSTORE_TOKEN", hidden=True)
    @click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="A store in a folder instead, without a server.",
    )
    @click.option("--user", help="Whose files in that store; not needed for one account alone.")
    @wraps(command)
    def wrapped(
        url: str | None, token: str | None, data_dir: Path | None, user: str | None, **rest: Any
    ) -> Any:
        if data_dir or user:
            if _is_typed("url"):
                raise click.UsageError("--url excludes --data-dir and --user")
            url = token = None  # what the environment says in general
        return command(target=Target(url, _visible(token), data_dir, user), **rest)

    return wrapped  # type: ignore[return-value]  # click adds to whatever it is given


def _is_typed(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source is click.core.ParameterSource.COMMANDLINE


def _visible(token: str | None) -> str | None:
    if token and not re.fullmatch(r"[!-~]+", token):
        raise click.BadParameter("is no token", param_hint="DOCSTORE_TOKEN")
    return token


def address(url: str) -> str:
    """A server's address as it is kept and shown: with a scheme, without a slash at its end."""
    url = url if "://" in url else f"http://{url}"
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise click.BadParameter(f"{url} is no address of a server", param_hint="--url")
    return url.rstrip("/")
