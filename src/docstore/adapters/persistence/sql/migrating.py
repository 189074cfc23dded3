"""Runs the migrations that this package carries."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Lock
from typing import Final, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection

from docstore.adapters.persistence.sql import sqlite
from docstore.domain.errors import NewerData

_SCRIPTS: Final = "docstore.adapters.persistence.sql:migrations"
_ONE_AT_A_TIME: Final = Lock()  # Alembic keeps what it works on in variables of a module

T = TypeVar("T")


async def upgrade(url: URL, revision: str = "head") -> None:
    """All or nothing. NewerData when the database knows a revision that this code does not."""
    await _run(url, lambda config: command.upgrade(config, revision))


async def downgrade(url: URL, revision: str) -> None:
    """Back to `revision`; `base` is an empty database. Loses what the older tables cannot hold."""
    await _run(url, lambda config: command.downgrade(config, revision))


async def current(url: URL) -> str | None:
    """The database's revision; None for an empty one."""
    return await asyncio.to_thread(_within, url, _revision, alone=False)


async def due(url: URL) -> Sequence[str]:
    """The revisions that `upgrade` would bring, oldest first. NewerData as there."""
    return await asyncio.to_thread(_within, url, _due, alone=False)


async def _run(url: URL, change: Callable[[Config], None]) -> None:
    """When it is cancelled, what waits for another's migration does so no longer: the process that
    is told to end could not while its thread does.
    """
    stop: Future[None] = Future()
    try:
        await asyncio.to_thread(_within, url, partial(_change, change), stop=stop)
    except asyncio.CancelledError:
        stop.set_result(None)
        raise


def _within(
    url: URL,
    work: Callable[[Connection], T],
    *,
    alone: bool = True,
    stop: Future[None] | None = None,
) -> T:
    """What `work` returns, done in one transaction; `alone`: beside nobody else's migration, and
    until `stop` is done."""
    with _ONE_AT_A_TIME:
        if url.get_backend_name() == "sqlite":
            return sqlite.migrating(url, work)
        # Loaded only now: its driver is an extra.
        from docstore.adapters.persistence.sql.postgresql import migrating

        return migrating.within(url, work, alone=alone, stop=stop or Future())


def _change(change: Callable[[Config], None], db: Connection) -> None:
    config = _config()
    config.attributes["connection"] = db  # env.py takes it from there
    _refuse_newer(_revision(db), ScriptDirectory.from_config(config))
    change(config)
    if db.dialect.name == "sqlite":
        sqlite.check_foreign_keys(db)


def _due(db: Connection) -> Sequence[str]:
    scripts = ScriptDirectory.from_config(_config())
    there = _revision(db)
    _refuse_newer(there, scripts)
    missing = scripts.iterate_revisions("head", there or "base")
    return [script.revision for script in missing][::-1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    return config


def _revision(db: Connection) -> str | None:
    return MigrationContext.configure(db).get_current_revision()


def _refuse_newer(revision: str | None, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is not None and revision not in known:
        raise NewerData(
            f"the database is at revision {revision}, made by a newer docstore than this one; "
            "install that version, or restore a backup"
        )
