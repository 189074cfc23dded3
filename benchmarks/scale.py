"""A million rows beside ten thousand, in one run: what the repositories are asked most, on SQLite
and PostgreSQL: `python benchmarks/scale.py --help`.

1,000 users at both sizes. One of them has a tenth of all files, and lists them. A tenth of the jobs
wait, a hundredth run, a few of which have lost their worker; one in twenty of the lister's failed.
"""

import asyncio
import logging
import sys
import time
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import make_url

import places
from docstore.adapters.persistence.sql import sqlite
from docstore.application.dispatching import SKEW, Dispatch, ReleaseExpired
from docstore.domain.ids import FileId, JobId, LeaseToken, UserId
from docstore.domain.lifecycle import FileStatus
from docstore.domain.listing import ALL_FILES, FileQuery, Place
from docstore.domain.retry import RetryPolicy
from docstore.plugins import connect

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from integration.services.postgresql import postgresql

SMALL: Final = 10_000  # rows
USERS: Final = 1000
LISTER: Final = UserId(UUID(int=1))
FLOOR: Final = 2.0  # times what it takes with the small table
PAGE: Final = 20
REAPED: Final = 5  # jobs put back at a time
LAPSED: Final = 60  # of those that run, the last ones seeded
LEASE: Final = timedelta(seconds=30)
GATED: Final = ("list", "claim", "reap")  # what the floor is for; the rest is told


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a database says what both are told."""

    ident: str
    numbers: str
    now: str
    ago: str


DIALECTS: Final = {
    "sqlite": Dialect(
        ident="printf('%032x', {0})",
        numbers="(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows})"
        " SELECT n FROM s)",
        now="strftime('%Y-%m-%d %H:%M:%f000', 'now')",
        ago="strftime('%Y-%m-%d %H:%M:%f000', 'now', (-({0})) || ' seconds')",
    ),
    "postgresql": Dialect(
        ident="lpad(to_hex({0}), 32, '0')::uuid",
        numbers="(SELECT n FROM generate_series(1, {rows}) AS n)",
        now="now()",
        ago="now() - ({0}) * interval '1 second'",
    ),
}

STATUS: Final = """CASE WHEN n % 200 = 0 THEN 'failed' WHEN n % 10 = 1 THEN '{queued}'
    WHEN n % 100 = 2 THEN 'processing' ELSE '{done}' END"""


def statements(dialect: Dialect, rows: int) -> Sequence[str]:
    def ident(number: str) -> str:
        return dialect.ident.format(number)

    def ago(seconds: str) -> str:
        return dialect.ago.format(seconds)

    owner = ident(f"CASE WHEN n % 10 = 0 THEN 1 ELSE 2 + n % {USERS - 1} END")
    file_status = STATUS.format(queued="uploaded", done="processed")
    job_status = STATUS.format(queued="queued", done="completed")
    series = dialect.numbers.format(rows=rows)
    failed, running = "n % 200 = 0", "n % 10 != 1 AND n % 100 = 2"
    # The leases of a few are over, of as many at every size.
    lease = f"CASE WHEN n > {rows - LAPSED * 100} THEN {ago('60')} ELSE {ago('-86400')} END"
    return (
        f"""INSERT INTO users (id, email, created_at, token_version, version)
        SELECT {ident("n")}, 'u' || n || '@example.org', {dialect.now}, 1, 1
        FROM {dialect.numbers.format(rows=USERS)} AS u""",
        f"""INSERT INTO files (id, user_id, original_filename, storage_path, key, tags, metadata,
            size, sha256, media_type, declared_media_type, status, generation, renditions,
            warnings,
            error_code, error_message, uploaded_at, updated_at, version, search_text)
        SELECT {ident("n")}, {owner}, n || '.txt', 'files/' || n, 'key' || n, '[]', '{{}}',
            n % 9999,
            'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9', 'text/plain',
            'text/plain', {file_status}, 1, '[]', '[]',
            CASE WHEN {failed} THEN 'corrupt' END, CASE WHEN {failed} THEN 'cut off' END,
            {ago("n")}, {ago("n")}, 1, n || '.txt'
        FROM {series} AS s""",
        f"""INSERT INTO jobs (id, file_id, user_id, job_type, generation, status, attempts,
            crash_attempts, releases, queued_at, due_at, lease_token, lease_until, heartbeat_at,
            worker, error_code, error_message, payload, version, steps)
        SELECT {ident("n")}, {ident("n")}, {owner}, 'process', 1, {job_status}, 1, 0, 0,
            {ago("n")}, {ago("n")}, CASE WHEN {running} THEN {ident("n")} END,
            CASE WHEN {running} THEN {lease} END, CASE WHEN {running} THEN {ago("30")} END,
            CASE WHEN {running} THEN 'w:' || n END, CASE WHEN {failed} THEN 'corrupt' END,
            CASE WHEN {failed} THEN 'cut off' END, '[]', 1, '[]'
        FROM {series} AS s""",
    )


@asynccontextmanager
async def seeded(url: str, rows: int) -> AsyncIterator[Any]:
    """The database, through its own migrations, and full."""
    async with connect("database", url, durable=False) as database:
        await database.migrate()
        parsed = make_url(url)
        dialect = DIALECTS[parsed.get_backend_name()]
        await asyncio.to_thread(fill, url, statements(dialect, rows))
        yield database


def fill(url: str, inserts: Sequence[str]) -> None:
    asyncio.run(_fill(url, inserts)) if url.startswith("postgresql") else _fill_file(url, inserts)


async def _fill(url: str, inserts: Sequence[str]) -> None:
    import asyncpg

    db = await asyncpg.connect(url)
    for insert in inserts:
        await db.execute(insert)
    await db.execute("VACUUM ANALYZE")
    await db.close()


def _fill_file(url: str, inserts: Sequence[str]) -> None:
    made = sqlite.engine(make_url(url), sqlite.PATIENT | {"synchronous": "OFF"})
    with made.connect() as db:
        raw = sqlite.driver(db)
        raw.execute("BEGIN IMMEDIATE")
        for insert in inserts:
            raw.execute(insert)
        raw.execute("COMMIT")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    made.dispose()


class Told:
    """A queue that takes every hint."""

    async def send(self, job_id: JobId) -> None: ...


Act = Callable[[int], Awaitable[object]]


class Questions:
    """What is measured; each is told the number of its turn."""

    def __init__(self, database: Any, rows: int) -> None:
        self._begin = database.begin
        self._rows = rows
        self._dispatch = Dispatch(self._begin, Told(), timedelta(seconds=30))  # type: ignore[arg-type]
        self._reap = ReleaseExpired(self._begin, RetryPolicy(), lambda: 0.5)

    def all(self) -> Mapping[str, Act]:
        return {
            "list, first page": lambda _: self._listed(),
            "list, by cursor, deep": lambda _: self._deep(),
            "list, failed ones": lambda _: self._listed(FileQuery(status=FileStatus.FAILED)),
            "list, processed ones": lambda _: self._listed(FileQuery(status=FileStatus.PROCESSED)),
            "count, of all": lambda _: self._counted(),
            "claim": self._claim,
            "reap, looking": lambda _: self._lapsed(),
            "reap, putting back": lambda _: self._reap(limit=REAPED),
            "dispatch": lambda _: self._dispatch(limit=32),
            "backlog": lambda _: self._backlog(),
            "sweep, finding owners": lambda _: self._found(),
            "stranded files": lambda _: self._stranded(),
        }

    async def _listed(self, query: FileQuery = ALL_FILES, after: Place | None = None) -> None:
        async with self._begin(read_only=True) as tx:
            found = await tx.files.listed(LISTER, query, after=after, limit=PAGE)
        assert len(found) == PAGE, len(found)

    async def _deep(self) -> None:
        async with self._begin(read_only=True) as tx:
            middle = await tx.files.get(FileId(UUID(int=self._rows // 20 * 10)))
        await self._listed(after=Place(middle.uploaded_at, middle.id))

    async def _counted(self) -> None:
        async with self._begin(read_only=True) as tx:
            assert await tx.files.count(LISTER, ALL_FILES) == self._rows // 10

    async def _claim(self, turn: int) -> None:
        """As a worker does it, of a job that waits, with all the others before and behind it."""
        async with self._begin() as tx:
            now = await tx.now()
            job = await tx.jobs.get(JobId(UUID(int=self._rows // 2 + turn * 10 + 1)))
            job = job.start(now=now, lease=LEASE, token=LeaseToken(uuid4()), worker="bench")
            await tx.jobs.update(job)
            assert job.file_id is not None
            await tx.files.update((await tx.files.get(job.file_id)).start(now))
            await tx.commit()

    async def _lapsed(self) -> None:
        async with self._begin(read_only=True) as tx:
            found = await tx.upkeep.lapsed(await tx.now(), skew=SKEW, limit=REAPED)
        assert found

    async def _backlog(self) -> None:
        async with self._begin(read_only=True) as tx:
            await tx.upkeep.backlog(await tx.now())

    async def _found(self) -> None:
        async with self._begin(read_only=True) as tx:
            step = self._rows // 500
            found = await tx.files.find({FileId(UUID(int=n * step + 1)) for n in range(500)})
        assert len(found) == 500

    async def _stranded(self) -> None:
        async with self._begin(read_only=True) as tx:
            assert not await tx.upkeep.stranded(limit=100)


async def compared(name: str, small: str, large: str, rows: int, repeats: int) -> bool:
    """Whether what the floor is for keeps it. The two take turns, so that both meet the same
    neighbours.
    """
    kept = True
    async with seeded(small, SMALL) as few, seeded(large, rows) as many:
        ours, theirs = Questions(many, rows).all(), Questions(few, SMALL).all()
        for what in ours:
            before, now = await medians(theirs[what], ours[what], repeats)
            ratio, is_gated = now / before, what.startswith(GATED)
            kept &= ratio <= FLOOR or not is_gated
            verdict = f"floor {FLOOR}: {'ok' if ratio <= FLOOR else 'MISSED'}" if is_gated else ""
            told = f"{before:9.2f} {now:9.2f} ms {ratio:7.2f} x"
            print(f"{name:11}{what:24}{told}  {verdict}", flush=True)
    return kept


async def medians(first: Act, second: Act, repeats: int) -> tuple[float, float]:
    """Milliseconds of each. What only fills the caches is not measured."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeats + 1):
        for each, act in zip(taken, (first, second), strict=True):
            each.append(await timed(act, turn))
    return median(taken[0][1:]), median(taken[1][1:])


async def timed(act: Act, turn: int) -> float:
    began = time.perf_counter()
    await act(turn)
    return (time.perf_counter() - began) * 1000


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--on", nargs="*", choices=list(DIALECTS), default=list(DIALECTS))
    asked = parser.parse_args(arguments)
    logging.getLogger("docstore").setLevel(logging.ERROR)
    return 0 if all([_kept(name, asked.rows, asked.repeats) for name in asked.on]) else 1


def _kept(name: str, rows: int, repeats: int) -> bool:
    with ExitStack() as stack:
        if name == "sqlite":
            folder = stack.enter_context(places.folder(places.on_disk()))
            urls = [f"sqlite:///{folder}/{which}.db" for which in ("small", "large")]
        else:
            server = stack.enter_context(postgresql())
            urls = [server.new_database() for _ in ("small", "large")]
        return asyncio.run(compared(name, *urls, rows, repeats))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
