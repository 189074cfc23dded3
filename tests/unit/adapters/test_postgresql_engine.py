import asyncio
from importlib.metadata import EntryPoint

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from docstore import plugins
from docstore.adapters.persistence.sql.postgresql import engine
from docstore.adapters.persistence.sql.postgresql.options import Options

URL = "postgresql://ann:secret@db.example.org/docstore"


def arguments(url: str, options: Options) -> dict[str, object]:
    return engine._arguments(engine.url_of(url), options, {})


def pool_of(url: str) -> AsyncEngine:
    return engine.pooled(engine.url_of(url), engine.options(), durable=True)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg"])
def test_both_schemes_are_the_same(scheme: str) -> None:
    url = engine.url_of(URL.replace("postgresql", scheme))
    assert url.drivername == "postgresql+asyncpg"
    assert url.host == "db.example.org"


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("/docstore?password=hidden&pool=3", "password, pool"),
        ("/docstore?options=-c%20jit%3Don", "options"),
        ("", "no database"),
    ],
)
def test_what_means_nothing_is_refused_by_name(rest: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        engine.url_of(f"postgresql://ann:secret@db.example.org{rest}")
    for secret in ("secret", "hidden"):
        assert secret not in str(refused.value)


def test_the_password_is_the_urls_or_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCSTORE_DATABASE_PASSWORD", "other")
    options = engine.options()
    assert "other" not in repr(options)
    assert "password" not in arguments(URL, options)
    assert arguments(URL.replace(":secret", ""), options)["password"] == "other"


def test_tls_is_what_the_url_says() -> None:
    options = engine.options()
    assert "ssl" not in arguments(URL, options)
    assert arguments(f"{URL}?sslmode=verify-full", options)["ssl"] == "verify-full"
    pool = pool_of(f"{URL}?sslmode=require&application_name=x&target_session_attrs=read-write")
    assert dict(pool.url.query) == {"target_session_attrs": "read-write"}


def test_a_wrong_option_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCSTORE_DATABASE_POOL_SIZE", "secret")
    monkeypatch.setenv("DOCSTORE_DATABASE_WAIT", "0")
    with pytest.raises(ValueError, match=r"DOCSTORE_DATABASE_POOL_SIZE: .*integer") as refused:
        engine.options()
    assert "DOCSTORE_DATABASE_WAIT" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_driver_that_is_not_installed_is_told() -> None:
    point = EntryPoint("postgresql+asyncpg", "docstore.no_such_module:connect", "docstore.database")
    with pytest.raises(plugins.UnknownAdapter, match=r"docstore\[postgresql\]"):
        plugins._loaded("database", point)


def test_connections_are_made_when_they_are_needed() -> None:
    database = plugins.connect("database", "postgresql://ann@127.0.0.1:1/docstore")

    async def open_and_close() -> None:
        async with database:
            pass

    asyncio.run(open_and_close())
