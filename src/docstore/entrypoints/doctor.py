"""Is this installation fit for files? One finding for each thing that is looked at."""

from base64 import b64decode
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

from docstore.application.docstore import Docstore
from docstore.container import Container, due_migrations, migrate, running
from docstore.domain.confinement import Confinement
from docstore.domain.lifecycle import FileStatus
from docstore.entrypoints import embedded
from docstore.entrypoints.surroundings import Finding, Level, surroundings
from docstore.settings import Settings

SKEW: Final = timedelta(seconds=2)
TEXT: Final = b"The lamp was lit at dusk.\n"
PICTURE: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


async def examine(settings: Settings) -> AsyncGenerator[Finding, None]:
    """Everything in turn; one that fails does not keep the others. Nothing stays changed, but that
    what the first start would make is made where there is nothing yet.
    """
    container = Container(settings=settings)
    for finding in surroundings(settings, container.filesystem()):
        yield finding
    yield await _look("migrations", lambda: _schema(container, settings))
    for finding in await _parts(container):
        yield finding
    yield await _look("parsers", lambda: _parsers(settings))
    yield _recognition(container, settings)


async def _schema(container: Container, settings: Settings) -> Finding:
    """A database that is older is left so: a `serve` that is older, too, may be running on it."""
    if not settings.database_url and not (settings.data_dir / "docstore.db").exists():
        await migrate(container)
        return Finding("migrations", Level.OK, "the database was made")
    if due := await due_migrations(container):
        advice = f"revisions {', '.join(due)} are due; `docstore migrate` or `serve` brings them"
        return Finding("migrations", Level.WARNING, advice)
    return Finding("migrations", Level.OK, "the database is of this version")


async def _parts(container: Container) -> Sequence[Finding]:
    found = []
    try:
        async with running(container, worker=False) as docstore:
            for part, answer in (await docstore.check_health()).items():
                found.append(_part(part, answer))
            found.append(await _look("round trip", lambda: _round_trip(docstore)))
            found.append(await _look("clock", lambda: _clock(docstore)))
    except Exception as error:
        found.append(_trouble("opening", error))
    return found


def _part(part: str, answer: str) -> Finding:
    if answer == "ok":
        return Finding(part, Level.OK, answer)
    return Finding(part, Level.FAILED, f"{answer}; DOCSTORE_{part.upper()}_URL says where it is")


async def _round_trip(docstore: Docstore) -> Finding:
    await docstore.inspect.storage()
    return Finding("round trip", Level.OK, "what the store was given came back")


async def _clock(docstore: Docstore) -> Finding:
    ahead = await docstore.inspect.clock_ahead()
    seconds = ahead.total_seconds()
    if abs(ahead) > SKEW:
        advice = f"{seconds:+.1f} s from the database's; leases would end too early or too late"
        return Finding("clock", Level.WARNING, advice)
    return Finding("clock", Level.OK, f"{seconds:+.3f} s from the database's")


async def _parsers(settings: Settings) -> Finding:
    """A text and a picture, really read, by parsers that are confined as the settings say."""
    scratch = {
        **settings.model_dump(),
        **dict.fromkeys(("database_url", "storage_url", "queue_url"), "memory://"),
    }
    container = Container(settings=Settings(**scratch))
    async with embedded.opened(container) as store:
        me = await store.accounts.ensure("doctor")
        for data, name in ((TEXT, "a.txt"), (PICTURE, "a.png")):
            file = await store.upload(me, data, filename=name)
            file = await store.wait(me, file.id)
            if file.status is not FileStatus.PROCESSED:
                why = file.failure.message if file.failure else f"it is still {file.status}"
                return Finding("parsers", Level.FAILED, f"{name} was not read: {why}")
        return _confined(container.docstore().inspect.confinement())


def _recognition(container: Container, settings: Settings) -> Finding:
    subject = "text in pictures"
    if not settings.ocr_languages:
        return Finding(subject, Level.OK, "not recognised; DOCSTORE_OCR names languages")
    if why := container.no_recognition():
        return Finding(subject, Level.WARNING, f"not recognised: {why}")
    return Finding(subject, Level.OK, f"recognised in {settings.ocr_languages}")


def _confined(confinement: Confinement | None) -> Finding:
    if confinement is None:
        advice = "they run inside the worker, which a hostile file could take over"
        return Finding("parsers", Level.WARNING, advice)
    level = Level.OK if confinement.is_full else Level.WARNING
    detail = f"a text and a picture were read in the jail, {confinement.detail}"
    return Finding("parsers", level, detail)


async def _look(subject: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await look()
    except Exception as error:
        return _trouble(subject, error)


def _trouble(subject: str, error: Exception) -> Finding:
    """A doctor who falls ill at a finding is of no use, so anything is one."""
    return Finding(subject, Level.FAILED, str(error) or type(error).__name__)
