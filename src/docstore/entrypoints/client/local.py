"""A store in a folder, spoken to as if it were a server: whoever may read the folder may ask.

The API runs inside this process, on a socket that nobody else can reach. So a command is written
once, and does to a folder exactly what it does to a server.
"""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Final

import httpx

from docstore.container import Container, migrate, running
from docstore.domain.errors import NotFound
from docstore.domain.user import User
from docstore.entrypoints.client.errors import WhoseFiles
from docstore.entrypoints.client.session import ANSWER, Session
from docstore.entrypoints.http.server import served
from docstore.entrypoints.worker import working
from docstore.settings import Settings

LONGEST: Final = 80  # bytes of the folder's path: that of a socket may have 107 (unix(7))


@asynccontextmanager
async def local(
    settings: Settings, email: str | None, *, works: bool = False
) -> AsyncIterator[Session]:
    """A session in the name of `email`; of the only account when it is None. With `works` files
    are processed meanwhile. Raises WhoseFiles.
    """
    container = Container(settings=settings)
    await migrate(container)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="docstore-", dir=_place()))
        path = str(Path(folder) / "api")
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(path)
        listener.listen()
        await stack.enter_async_context(served(container, listener))
        http = await stack.enter_async_context(_client(path, settings.http_prefix))
        await http.get("/health")  # from now on the container is open
        user = await _user(container, email)
        http.headers["Authorization"] = f"Bearer {_token(container, user)}"
        if works:
            await stack.enter_async_context(_processing(settings))
        yield Session(http)


def _place() -> str:
    return gettempdir() if len(os.fsencode(gettempdir())) <= LONGEST else "/tmp"


def _client(path: str, prefix: str) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=path)
    where = f"http://docstore{prefix}"
    return httpx.AsyncClient(transport=transport, base_url=where, timeout=ANSWER)


async def _user(container: Container, email: str | None) -> User:
    accounts = container.docstore().accounts
    if email is not None:
        try:
            found: User = await accounts.find(email)
        except NotFound:
            message = f"there is no account {email}; `docstore users add` makes one"
            raise WhoseFiles(message) from None
        return found
    everybody = await accounts.list()
    if len(everybody) != 1:
        many = f"there are {len(everybody)} accounts" if everybody else "there is no account yet"
        raise WhoseFiles(f"{many}; name one by --user, or make one by `docstore users add`")
    only: User = everybody[0]
    return only


def _token(container: Container, user: User) -> str:
    issued = container.tokens().issue(
        user.id, token_version=user.token_version, now=datetime.now(UTC)
    )
    return str(issued.token)


@asynccontextmanager
async def _processing(settings: Settings) -> AsyncIterator[None]:
    # A container of its own: the other one is the API's, which opens and closes it.
    async with running(Container(settings=settings)) as docstore, working(docstore, settings):
        yield
