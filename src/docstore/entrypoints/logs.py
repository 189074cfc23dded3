"""Logging of docstore's own processes: stderr, one line a record. Nothing happens at import."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from docstore.application.auditing import LOGGER as SECURITY
from docstore.entrypoints import tracing
from docstore.entrypoints.sampling import UNSAMPLED, Sampled
from docstore.settings import Settings

MAX_MESSAGE: Final = 4000  # characters
MAX_TRACEBACK: Final = 20_000

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_QUIET: Final = ("aiosqlite", "alembic", "dramatiq", "httpcore", "httpx", "PIL", "uvicorn.error")
"""Libraries whose information is our debugging."""

_USUAL: Final = frozenset(
    {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", UNSAMPLED}
)
"""What every record has. The rest was given as `extra`, and is shown as fields."""


def to_stderr(settings: Settings, *, is_service: bool = False) -> None:
    """Log as the settings say, in place of what was set up before.

    `is_service`: of a process that runs until it is told to stop. Its log goes to a collector,
    so it is JSON unless it is a terminal's or the settings say otherwise.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneJson() if _is_json(settings, is_service) else OneLine(_FORMAT))
    handler.addFilter(Sampled())
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    if not is_service:  # it prints what it did
        logging.getLogger(SECURITY).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)


def _is_json(settings: Settings, is_service: bool) -> bool:
    if settings.log_format == "auto":
        return is_service and not sys.stderr.isatty()
    return settings.log_format == "json"


class OneLine(logging.Formatter):
    """A record is one line, whatever a client wrote into a name: control characters are escaped.
    Its fields follow, as `name=value`.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in fields_of(record))
        return f"{super().formatMessage(record)[:MAX_MESSAGE]}{fields}"

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))[:MAX_TRACEBACK]

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return moment(record)


class OneJson(logging.Formatter):
    """A record is one JSON object on one line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:MAX_MESSAGE],
        }
        told |= dict(fields_of(record))
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)[-MAX_TRACEBACK:]
        return json.dumps(told, default=str).replace("\x7f", "\\u007f")


def fields_of(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    """What was given as `extra`, and under which trace it happened."""
    given: Mapping[str, Any] = vars(record)
    if "trace_id" not in given and (trace_id := tracing.current()):
        yield "trace_id", trace_id
    for name, value in given.items():
        if name not in _USUAL and value is not None:
            yield name, value


def moment(record: logging.LogRecord) -> str:
    """When it happened, RFC 3339 in UTC."""
    when = datetime.fromtimestamp(record.created, UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def printable(text: str) -> str:
    """`text` on one line, without anything that moves a terminal's cursor or its reading order."""
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
