"""Where a Redis is, and how long it is waited for. For the adapters of any port that use one."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

CALM: Final = 2.0
"""Seconds for one answer where nobody waits for it but a thread of docstore's own."""

OPTIONS: Final = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
"""What the query of a URL may say: paths of certificates and a key."""


class RedisSettings(BaseSettings):
    """What is set beside the URL, for both ports alike."""

    model_config = SettingsConfigDict(
        env_prefix="DOCSTORE_", env_file=".env", extra="ignore", frozen=True
    )

    redis_username: Annotated[str, Field(description="Default: that of the URL, or none.")] = ""
    redis_password: Annotated[
        str, Field(repr=False, description="Default: that of the URL, or none.")
    ] = ""
    redis_prefix: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z_][A-Za-z0-9._-]*$",
            max_length=100,
            description="What all keys begin with. Two stores that share a database need two.",
        ),
    ] = "docstore"
    redis_timeout: Annotated[
        float,
        Field(
            gt=0,
            le=10,
            description="Seconds that a request waits for Redis before it does without.",
        ),
    ] = 0.1
    redis_max_hints: Annotated[
        int,
        Field(
            ge=1, description="Hints that wait in Redis before those who give more wait as well."
        ),
    ] = 64


def connection_options(url: str, settings: RedisSettings) -> Mapping[str, Any]:
    """What any client of redis-py takes beside the URL. It does not try anything twice: who calls
    knows better what to do meanwhile.

    ValueError for a URL that is none; it does not show the URL, which may hold a password.
    """
    if not _is_fit(url):
        raise ValueError(
            "a Redis is redis://host:port/database, or rediss:// for TLS, whose options are "
            f"{', '.join(sorted(OPTIONS))}; a password is better given as DOCSTORE_REDIS_PASSWORD"
        )
    credentials = {"username": settings.redis_username, "password": settings.redis_password}
    return {
        "socket_timeout": CALM,
        "socket_connect_timeout": CALM,
        "client_name": "docstore",
        "protocol": 2,  # enough for us, and every server speaks it
        **{name: value for name, value in credentials.items() if value},
    }


def _is_fit(url: str) -> bool:
    try:
        parts = urlsplit(url)
        database = parts.path.strip("/") or "0"
        options = parse_qs(parts.query).keys()
        return bool(parts.hostname and parts.port != 0 and database.isdecimal()) and (
            options <= OPTIONS and not parts.fragment
        )
    except ValueError:
        return False
