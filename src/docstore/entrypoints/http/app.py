"""The HTTP API as one ASGI application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import cache
from typing import Final, TypeAlias

from litestar import Litestar, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler

from docstore.application.docstore import Docstore
from docstore.container import Container, running
from docstore.entrypoints.http import (
    accounts,
    content,
    docs,
    editing,
    errors,
    files,
    health,
    jobs,
    listing,
    problems,
    uploads,
)
from docstore.entrypoints.http.auth import SignedIn
from docstore.entrypoints.http.kept_answers import KeptAnswers
from docstore.entrypoints.http.openapi import document
from docstore.entrypoints.http.operations import options_of
from docstore.entrypoints.http.rate_limits import FIELDS as RATE_LIMIT
from docstore.entrypoints.http.watching import Watched
from docstore.entrypoints.metrics.meters import NO_METERS, Meters
from docstore.settings import Settings

OPEN: Final[list[HTTPRouteHandler]] = [
    accounts.register,
    accounts.log_in,
    health.health,
    health.ready,
    problems.problem_page,
    docs.openapi_json,
    docs.docs_page,
    docs.docs_file,
]
"""All that works without a token."""

SIGNED_IN: Final[list[HTTPRouteHandler]] = [
    accounts.me,
    accounts.close_account,
    accounts.change_password,
    uploads.upload,
    listing.list_files,
    files.read_file,
    editing.edit_file,
    files.delete_file,
    files.retry_file,
    jobs.list_jobs,
    jobs.read_job,
    content.read_content,
    content.read_text,
    content.read_rendition,
    content.download,
]


Alongside: TypeAlias = Callable[[Docstore], AbstractAsyncContextManager[None]]
"""What runs for as long as the application does."""


def create_app(
    container: Container,
    meters: Meters = NO_METERS,
    alongside: Alongside = lambda _: nullcontext(),
) -> Litestar:
    """The application over `container`, which it opens when it starts and closes when it ends.

    Files are processed elsewhere: no worker runs in it.
    """
    settings: Settings = container.settings()
    prefix = settings.http_prefix
    kept = KeptAnswers()
    described = cache(lambda: document([*OPEN, *SIGNED_IN], prefix))
    signed_in = SignedIn(lambda: container.docstore().accounts.authenticate)
    app = Litestar(
        route_handlers=[
            Router(prefix, route_handlers=[*options_of(OPEN), *OPEN]),
            Router(
                prefix,
                route_handlers=[*options_of(SIGNED_IN), *SIGNED_IN],
                middleware=[signed_in],
            ),
        ],
        dependencies={
            # A provider has no signature for Litestar to read, a lambda has one.
            "docstore": Provide(lambda: container.docstore(), sync_to_thread=False),
            "settings": Provide(lambda: settings, sync_to_thread=False),
            "wake": Provide(lambda: container.wake(), sync_to_thread=False),
            "kept": Provide(lambda: kept, sync_to_thread=False),
            "described": Provide(lambda: described(), sync_to_thread=False),
            "file_id": Provide(files.file_id, sync_to_thread=False),
        },
        exception_handlers=errors.handlers(prefix),
        lifespan=[lambda _: _open(container, alongside)],
        state=State({"prefix": prefix}),  # for what is refused before a route is known
        cors_config=cross_origin(settings),
        request_max_body_size=None,  # Upload counts the bytes, for every entrypoint alike
        openapi_config=None,  # ours says what bodies and refusals look like
        logging_config=None,
        debug=False,  # never by an environment variable
        pdb_on_exception=False,
    )
    # Litestar's own middleware sees no request that matches no route.
    app.asgi_handler = Watched(
        app.asgi_handler, meters, proxies=settings.proxies, access_log=settings.access_log
    )
    return app


@asynccontextmanager
async def _open(container: Container, alongside: Alongside) -> AsyncIterator[None]:
    async with running(container, worker=False) as docstore, alongside(docstore):
        yield


def cross_origin(settings: Settings) -> CORSConfig | None:
    """What browsers may do from other origins: nothing, unless origins are named."""
    if not settings.cors_origins:
        return None
    return CORSConfig(
        allow_origins=list(settings.cors_origins),
        expose_headers=[
            "ETag",
            "Link",
            "Location",
            "Retry-After",
            "Repr-Digest",
            "Content-Range",
            "X-Request-ID",
            *RATE_LIMIT,
        ],
    )
