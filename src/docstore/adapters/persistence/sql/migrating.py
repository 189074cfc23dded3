"""Runs the migrations that this package carries."""

from collections.abc import Callable
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection

from docstore.adapters.persistence.sql import sqlite
from docstore.domain.errors import NewerData

_SCRIPTS: Final = "docstore.adapters.persistence.sql:migrations"


async def upgrade(url: URL, revision: str = "head") -> None:
    """All or nothing. NewerData when the database knows a revision that this code does not."""
    await _run(url, lambda config: command.upgrade(config, revision))


async def downgrade(url: URL, revision: str) -> None:
    """Back to `revision`; `base` is an empty database. Loses what the older tables cannot hold."""
    await _run(url, lambda config: command.downgrade(config, revision))


async def current(url: URL) -> str | None:
    """The database's revision; None for an empty one."""
    engine = sqlite.migrator(url)
    try:
        async with engine.connect() as db:
            return await db.run_sync(_revision)
    finally:
        await engine.dispose()


async def _run(url: URL, change: Callable[[Config], None]) -> None:
    engine = sqlite.migrator(url)
    try:
        async with engine.begin() as db:
            await db.run_sync(_change, change)
    finally:
        await engine.dispose()


def _change(db: Connection, change: Callable[[Config], None]) -> None:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.attributes["connection"] = db  # env.py takes it from there
    _refuse_newer(_revision(db), ScriptDirectory.from_config(config))
    change(config)
    sqlite.check_foreign_keys(db)


def _revision(db: Connection) -> str | None:
    return MigrationContext.configure(db).get_current_revision()


def _refuse_newer(revision: str | None, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is not None and revision not in known:
        raise NewerData(
            f"the database is at revision {revision}, made by a newer docstore than this one; "
            "install that version, or restore a backup"
        )
