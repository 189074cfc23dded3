"""A million rows beside ten thousand, in one run: what the repositories are asked most, on SQLite
and PostgreSQL. `python benchmarks/scale.py --help`.

Both are of 1,000 users, so the one who lists has 10 files there and 1,000 here; pages have 5, and
are full in both.
"""

import asyncio
import logging
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import Any, Final
from uuid import UUID, uuid4

import places
from docstore.application.dispatching import SKEW, Dispatch, ReleaseExpired
from docstore.application.sweeping import BATCH
from docstore.domain.ids import FileId, JobId, LeaseToken
from docstore.domain.lifecycle import FileStatus
from docstore.domain.listing import ALL_FILES, FileQuery, Place, Sort
from docstore.domain.retry import RetryPolicy
from docstore.plugins import connect
from filling import LISTER, STALE, TAG, USERS, WORD, due_job, fill, lister_file
from services import database

FEW: Final = 10_000  # rows
MANY: Final = 1_000_000
LIMIT: Final = 2.0  # times what it takes with few
HELD: Final = ("list by cursor", "claim", "reap")  # to the limit; the rest is only told
PAGE: Final = 5
REAPED: Final = 5  # jobs at a time
LEASE: Final = timedelta(seconds=30)
REPEATS: Final = 15
MOST_REPEATS: Final = STALE // REAPED - 1

Act = Callable[[int], Awaitable[object]]


class Deaf:
    """A queue that takes every hint, and does nothing about it."""

    async def send(self, job_id: JobId) -> None: ...


class Questions:
    """To one database. Each is told the number of its turn, since some use up what they find."""

    def __init__(self, database: Any, rows: int) -> None:
        self._begin = database.begin
        self._rows = rows
        self._middle = lister_file(rows // USERS // 2 + 1)  # half of the lister's lie behind it
        patience = timedelta(seconds=30)
        self._dispatch = Dispatch(self._begin, Deaf(), patience)  # type: ignore[arg-type]
        self._release = ReleaseExpired(self._begin, RetryPolicy(), lambda: 0.5)

    async def all(self) -> Mapping[str, Act]:
        async with self._begin(read_only=True) as tx:
            middle = await tx.files.get(self._middle)
        by_time = Place(middle.uploaded_at, middle.id)
        by_name = Place(middle.original_filename, middle.id)
        from_z = FileQuery(sort=Sort.BY_NAME_DESCENDING)
        failed = FileQuery(status=FileStatus.FAILED)
        return {
            "list, first page": self._list(),
            "list by cursor, deep": self._list(after=by_time),
            "list by cursor, by name": self._list(from_z, after=by_name),
            "list by cursor, failed": self._list(failed, after=by_time),
            "list, by name": self._list(from_z),
            "list, failed": self._list(failed),
            "list, processed": self._list(FileQuery(status=FileStatus.PROCESSED)),
            "list, tag": self._list(FileQuery(tag=TAG)),
            "list, q= of all": self._list(FileQuery(q="report")),
            "list, q= of one": self._list(FileQuery(q=WORD), at_least=1),
            "total": self._count(),
            "total, failed": self._count(failed),
            "metadata": self._metadata,
            "claim": self._claim,
            "reap, looking": self._lapsed,
            "reap": self._reap,
            "dispatch": self._dispatched,
            "backlog": self._backlog,
            "sweep, owners of blobs": self._owners,
            "sweep, forgetting": self._forget,
            "files without a job": self._stranded,
        }

    def _list(
        self, query: FileQuery = ALL_FILES, after: Place | None = None, at_least: int = PAGE
    ) -> Act:
        async def ask(_: int) -> None:
            async with self._begin(read_only=True) as tx:
                found = await tx.files.listed(LISTER, query, after=after, limit=PAGE)
            assert at_least <= len(found) <= PAGE, f"{query}: {len(found)} found"

        return ask

    def _count(self, query: FileQuery = ALL_FILES) -> Act:
        async def ask(_: int) -> None:
            async with self._begin(read_only=True) as tx:
                assert await tx.files.count(LISTER, query) >= PAGE

        return ask

    async def _metadata(self, _: int) -> None:
        async with self._begin(read_only=True) as tx:
            await tx.files.owned(LISTER, id=self._middle)

    async def _claim(self, turn: int) -> None:
        """As a worker does. The job that is due longest is dispatched first, the last claimed."""
        async with self._begin() as tx:
            now = await tx.now()
            job = await tx.jobs.get(due_job(self._rows, USERS - 1 - turn))
            job = job.start(now=now, lease=LEASE, token=LeaseToken(uuid4()), worker="host:2")
            await tx.jobs.update(job)
            assert job.file_id is not None
            await tx.files.update((await tx.files.get(job.file_id)).start(now))
            await tx.commit()

    async def _lapsed(self, _: int) -> None:
        async with self._begin(read_only=True) as tx:
            assert await tx.upkeep.lapsed(await tx.now(), skew=SKEW, limit=REAPED)

    async def _reap(self, _: int) -> None:
        assert await self._release(limit=REAPED) == REAPED

    async def _dispatched(self, _: int) -> None:
        assert await self._dispatch()

    async def _backlog(self, _: int) -> None:
        async with self._begin(read_only=True) as tx:
            await tx.upkeep.backlog(await tx.now())

    async def _owners(self, _: int) -> None:
        """Of a batch of blobs, whose files are from all over the table."""
        step = self._rows // BATCH
        async with self._begin(read_only=True) as tx:
            found = await tx.files.find({FileId(UUID(int=(n + 1) * step)) for n in range(BATCH)})
        assert len(found) == BATCH

    async def _forget(self, _: int) -> None:
        """None is old enough, as in most sweeps."""
        async with self._begin() as tx:
            now = await tx.now()
            assert not await tx.upkeep.forget_purges(now - timedelta(days=1))
            assert not await tx.claims.forget(now)
            await tx.commit()

    async def _stranded(self, _: int) -> None:
        async with self._begin(read_only=True) as tx:
            assert not await tx.upkeep.stranded(limit=100)


@dataclass(slots=True)
class Compared:
    """Milliseconds of one question, turn by turn."""

    few: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)

    @property
    def medians(self) -> tuple[float, float]:
        """The first turn fills the caches, and is left out."""
        return median(self.few[1:]), median(self.many[1:])


async def compare(few: str, many: str, rows: int, repeats: int) -> Mapping[str, Compared]:
    """All questions take turns, and so do the two databases: both meet the same neighbours."""
    async with filled(few, FEW) as small, filled(many, rows) as large:
        those = await Questions(small, FEW).all()
        these = await Questions(large, rows).all()
        results = {name: Compared() for name in those}
        for turn in range(repeats + 1):
            for name, result in results.items():
                asked = [(result.few, those[name]), (result.many, these[name])]
                for times, act in asked if turn % 2 else reversed(asked):
                    times.append(await _timed(act, turn))
    return results


@asynccontextmanager
async def filled(url: str, rows: int) -> AsyncIterator[Any]:
    """The tables as docstore makes them, with so many files."""
    async with connect("database", url, durable=False) as database:
        await database.migrate()
        began = time.perf_counter()
        await fill(url, rows)
        print(f"{rows:,} rows in {time.perf_counter() - began:.0f} s", flush=True)
        yield database


async def _timed(act: Act, turn: int) -> float:
    began = time.perf_counter()
    await act(turn)
    return (time.perf_counter() - began) * 1000


def told(results: Mapping[str, Compared]) -> bool:
    """Prints them; whether all that is held to the limit keeps it."""
    kept = True
    print(f"{'milliseconds':26}{'few':>9}{'many':>9}{'ratio':>8}")
    for name, result in results.items():
        few, many = result.medians
        is_held, is_over = name.startswith(HELD), many > LIMIT * few
        kept = kept and not (is_held and is_over)
        verdict = f"  limit {LIMIT}: {'MISSED' if is_over else 'ok'}" if is_held else ""
        print(f"{name:26}{few:9.2f}{many:9.2f}{many / few:8.2f}{verdict}")
    return kept


@contextmanager
def _on_sqlite() -> Iterator[tuple[str, str]]:
    with places.folder(places.on_disk()) as folder:
        yield f"sqlite:///{folder}/few.db", f"sqlite:///{folder}/many.db"


@contextmanager
def _on_postgresql() -> Iterator[tuple[str, str]]:
    with database() as server:
        yield server.new_database(), server.new_database()


DATABASES: Final = {"sqlite": _on_sqlite, "postgresql": _on_postgresql}


def main(arguments: Sequence[str]) -> int:
    asked = _parsed(arguments)
    logging.getLogger("docstore").setLevel(logging.ERROR)  # it warns of every job that is reaped
    kept = True
    for name in asked.on:
        print(f"{name}: {FEW:,} rows and {asked.rows:,}", flush=True)
        with DATABASES[name]() as (few, many):
            kept &= told(asyncio.run(compare(few, many, asked.rows, asked.repeats)))
    return 0 if kept else 1


def _parsed(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(description="Ask tables of two sizes the same questions.")
    parser.add_argument("--rows", type=int, default=MANY, help="of the large table; 1,000,000")
    turns = f"of each question, up to {MOST_REPEATS}; {REPEATS}"
    parser.add_argument("--repeats", type=int, default=REPEATS, metavar="N", help=turns)
    parser.add_argument("--on", nargs="+", choices=[*DATABASES], default=[*DATABASES])
    asked = parser.parse_args(arguments)
    if asked.rows < FEW or not 1 <= asked.repeats <= MOST_REPEATS:
        parser.error(f"--rows: at least {FEW}; --repeats: 1 to {MOST_REPEATS}")
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
