"""Logging of docstore's own processes: stderr, one line a record. Nothing happens at import."""

import logging
import sys
from datetime import UTC, datetime
from typing import Final

from docstore.settings import Settings

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_QUIET: Final = ("aiosqlite", "alembic", "httpcore", "httpx", "PIL", "uvicorn.error")
"""Libraries whose information is our debugging."""


def to_stderr(settings: Settings) -> None:
    """Log from the level that the settings name, in place of what was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(_FORMAT))
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)


class OneLine(logging.Formatter):
    """A record is one line, whatever a client wrote into a name: control characters are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def printable(text: str) -> str:
    """`text` on one line, without anything that moves a terminal's cursor or its reading order."""
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
