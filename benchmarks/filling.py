"""Many rows in no time: SQL that makes them in the database itself, as docstore would have.

What is at work is as much at every size: nearly every user has one job that is due, 199 more run,
100 of which have lost their worker. All else is done, a hundredth of it in vain. Of one user, the
lister, it is the five oldest files that failed. The newest have the highest ids.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from docstore.domain.ids import FileId, JobId, UserId

USERS: Final = 1000
LISTER: Final = UserId(UUID(int=1))
DUE: Final = USERS  # the newest files
RUNNING: Final = 200  # those before them
STALE: Final = 100  # of those that run, the oldest: their lease is over
FAILED: Final = 5  # of the lister's files
TAG: Final = "invoices"  # of every file
WORD: Final = "first"  # in the title of the lister's oldest one


def lister_file(number: int) -> FileId:
    """From 1, the oldest."""
    return FileId(UUID(int=number * USERS))


def due_job(rows: int, number: int) -> JobId:
    """From 1, the one that is due longest."""
    return JobId(UUID(int=rows - DUE + number))


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How one database says what all are told."""

    ident: str
    series: str
    ago: str  # seconds
    json: str

    def statements(self, rows: int) -> Sequence[str]:
        users = self.series.format(USERS)
        files = f"SELECT *, {_STATE} AS state FROM {self.series.format(rows)} AS numbers"
        over = rows - DUE - RUNNING + STALE  # the last whose lease is
        words = {
            "rows": rows,
            "state": "state",
            "users": users,
            "files": f"({files.format(rows=rows)}) AS rows",
            "id": self.ident.format("n"),
            "owner": self.ident.format(f"1 + n % {USERS}"),
            "purge_id": self.ident.format(f"{rows} + n"),
            "facts": self.json.format("""'{"pages": 3, "words": 512, "language": "en"}'"""),
            "now": self.ago.format("0"),
            "then": self.ago.format(f"{rows} - n"),
            "lease": self.ago.format(f"CASE WHEN n <= {over} THEN 60 ELSE -86400 END"),
        }
        return [statement.format(**words) for statement in (_USERS, _FILES, _JOBS, _PURGES)]


_SQLITE: Final = _Dialect(
    ident="printf('%032x', {0})",
    series="(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {0})"
    " SELECT n FROM s)",
    ago="strftime('%Y-%m-%d %H:%M:%f000', 'now', -({0}) || ' seconds')",
    json="{0}",
)
_POSTGRESQL: Final = _Dialect(
    ident="lpad(to_hex({0}), 32, '0')::uuid",
    series="(SELECT n FROM generate_series(1, {0}) AS n)",
    ago="now() - ({0}) * interval '1 second'",
    json="{0}::json",
)

_STATE: Final = f"""CASE
    WHEN n % {USERS} = 0 THEN CASE WHEN n <= {FAILED * USERS} THEN 'failed' ELSE 'done' END
    WHEN n > {{rows}} - {DUE} THEN 'queued'
    WHEN n > {{rows}} - {DUE + RUNNING} THEN 'running'
    WHEN n % 101 = 3 THEN 'failed'
    ELSE 'done' END"""

_USERS: Final = """INSERT INTO users (id, email, created_at, token_version, version)
    SELECT {id}, 'user' || n || '@example.org', {now}, 1, 1 FROM {users} AS numbers"""

_FILES: Final = f"""INSERT INTO files (id, user_id, original_filename, storage_path, key, title,
        tags, metadata, size, sha256, media_type, declared_media_type, status, generation,
        extracted_data, renditions, warnings, error_code, error_message, uploaded_at, updated_at,
        processed_at, version, search_text)
    SELECT {{id}}, {{owner}}, 'report ' || n || '.txt', 'files/' || n || '/1', 'key' || n,
        CASE WHEN n = {USERS} THEN '{WORD}' END, '["{TAG}", "2026"]', '{{{{"origin": "scan"}}}}',
        n % 99991, 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
        'text/plain', 'text/plain',
        CASE state WHEN 'queued' THEN 'uploaded' WHEN 'running' THEN 'processing'
            WHEN 'failed' THEN 'failed' ELSE 'processed' END, 1,
        CASE state WHEN 'done' THEN {{facts}} END, '[]', '[]',
        CASE state WHEN 'failed' THEN 'corrupt' END,
        CASE state WHEN 'failed' THEN 'it is cut off' END, {{then}}, {{then}},
        CASE state WHEN 'done' THEN {{then}} END, 1,
        'report ' || n || '.txt' || CASE WHEN n = {USERS} THEN '\n{WORD}' ELSE '' END
            || '\n{TAG}\n2026'
    FROM {{files}}"""

_JOBS: Final = """INSERT INTO jobs (id, file_id, user_id, job_type, generation, status, attempts,
        crash_attempts, releases, queued_at, due_at, lease_token, lease_until, heartbeat_at,
        worker, started_at, completed_at, error_code, error_message, payload, version)
    SELECT {id}, {id}, {owner}, 'process', 1,
        CASE state WHEN 'queued' THEN 'queued' WHEN 'running' THEN 'processing'
            WHEN 'failed' THEN 'failed' ELSE 'completed' END,
        CASE state WHEN 'queued' THEN 0 ELSE 1 END, 0, 0, {then}, {then},
        CASE state WHEN 'running' THEN {id} END, CASE state WHEN 'running' THEN {lease} END,
        CASE state WHEN 'running' THEN {then} END, CASE state WHEN 'running' THEN 'host:1' END,
        CASE state WHEN 'queued' THEN NULL ELSE {then} END,
        CASE WHEN state IN ('done', 'failed') THEN {then} END,
        CASE state WHEN 'failed' THEN 'corrupt' END,
        CASE state WHEN 'failed' THEN 'it is cut off' END, '[]', 1
    FROM {files}"""

_PURGES: Final = """INSERT INTO jobs (id, user_id, job_type, generation, status, attempts,
        crash_attempts, releases, queued_at, due_at, completed_at, payload, version)
    SELECT {purge_id}, {owner}, 'purge', 1, 'completed', 1, 0, 0, {now}, {now}, {now}, '[]', 2
    FROM {users} AS numbers"""


async def fill(url: str, rows: int) -> None:
    """A database that has its tables, and nothing in them. `rows`: at least 10 for each user."""
    if url.startswith("postgresql"):
        await _fill_server(url, _POSTGRESQL.statements(rows))
    else:
        await asyncio.to_thread(_fill_file, url, _SQLITE.statements(rows))


async def _fill_server(url: str, statements: Sequence[str]) -> None:
    db = await asyncpg.connect(url)
    try:
        for statement in statements:
            await db.execute(statement)
        await db.execute("VACUUM ANALYZE")  # as its daemon would by and by
    finally:
        await db.close()


def _fill_file(url: str, statements: Sequence[str]) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db, db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -500000")  # KiB
        for statement in statements:
            db.execute(statement)
