"""How docstore connects."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import URL, NullPool, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from docstore.adapters.persistence.sql.postgresql.options import PREFIX, Options
from docstore.adapters.persistence.sql.postgresql.vanishing import watched

DRIVER: Final = "postgresql+asyncpg"
GRACE: Final = 2.0  # seconds beyond the server's own limit, for an answer that never comes
PARAMETERS: Final = frozenset(
    {"application_name", "host", "port", "sslmode", "target_session_attrs"}
)  # of a URL


def url_of(text: str) -> URL:
    """What `text` names. ValueError, which shows no password, when it is not understood."""
    url = make_url(text).set(drivername=DRIVER)
    if not url.database:
        raise ValueError(f"{PREFIX}URL names no database, as in postgresql://user@host/docstore")
    if unknown := sorted(url.query.keys() - PARAMETERS):
        raise ValueError(f"{PREFIX}URL: no parameter {', '.join(unknown)}; see docs/postgresql.md")
    return url


def options() -> Options:
    """Those in force. ValueError names each variable that is wrong, not its value."""
    try:
        return Options()
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        told = [f"{PREFIX}{str(each['loc'][0]).upper()}: {each['msg']}" for each in problems]
        raise ValueError("; ".join(told)) from None


def pooled(url: URL, options: Options, *, durable: bool) -> AsyncEngine:
    """Connections that are tried before each use: one that broke, or whose server was restarted,
    is replaced unseen.
    """
    limits = {
        "statement_timeout": options.statement_timeout,
        "lock_timeout": options.lock_timeout,
        "idle_in_transaction_session_timeout": options.idle_timeout,
    }
    session = {name: str(round(seconds * 1000)) for name, seconds in limits.items()}
    if not durable:
        session["synchronous_commit"] = "off"
    return create_async_engine(
        _bare(url),
        connect_args=_arguments(url, options, session)
        | {"command_timeout": options.statement_timeout + GRACE},
        pool_size=options.pool_size,
        max_overflow=0,
        pool_timeout=options.wait,
        pool_pre_ping=True,
    )


def single(url: URL, options: Options) -> AsyncEngine:
    """For what may take its time, such as a migration."""
    return create_async_engine(
        _bare(url), connect_args=_arguments(url, options, {}), poolclass=NullPool
    )


def _bare(url: URL) -> URL:
    return url.difference_update_query(("application_name", "sslmode"))


def _arguments(url: URL, options: Options, session: Mapping[str, str]) -> dict[str, Any]:
    """What asyncpg is told beside the URL."""
    name = str(url.query.get("application_name", "docstore"))
    # Just-in-time compilation takes longer than any statement of docstore's.
    settings = {"application_name": name, "jit": "off", **session}
    arguments: dict[str, Any] = {
        "timeout": options.wait,
        "server_settings": settings,
        "connection_class": watched(options.wait),
    }
    if "sslmode" in url.query:
        arguments["ssl"] = url.query["sslmode"]
    if not url.password and (password := options.password.get_secret_value()):
        arguments["password"] = password
    return arguments
