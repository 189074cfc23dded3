import json
import logging
import sys
from typing import Any

import pytest

from docstore.entrypoints.logs import OneJson, OneLine, printable, to_stderr
from docstore.entrypoints.tracing import traced
from docstore.settings import Settings


def formatted(message: str, *, with_error: bool = False) -> str:
    error = None
    if with_error:
        try:
            int("two\nlines")
        except ValueError:
            error = sys.exc_info()
    record = logging.LogRecord("docstore", logging.INFO, "x.py", 1, message, (), error)
    record.created = 0.5
    return OneLine("%(asctime)s %(levelname)s %(message)s").format(record)


def test_times_are_utc() -> None:
    assert formatted("served") == "1970-01-01T00:00:00.500Z INFO served"


def test_a_traceback_is_on_the_line_too() -> None:
    line = formatted("failed", with_error=True)
    assert "\n" not in line
    assert r"failed\nTraceback" in line
    assert line.endswith(r"'two\nlines'")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("résumé 📄 plain.txt", "résumé 📄 plain.txt"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\u202etxt.exe", r"\u202etxt.exe"),
        ("\u2028", r"\u2028"),
        ("\ud800", r"\ud800"),
        ("\x9b31m", r"\x9b31m"),
    ],
)
def test_what_moves_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def as_json(message: str, *args: object, error: bool = False, **extra: object) -> dict[str, Any]:
    record = logging.makeLogRecord(
        {"name": "docstore.x", "levelno": logging.WARNING, "levelname": "WARNING", "msg": message}
        | {"args": args, "created": 0.5}
        | extra
    )
    if error:
        try:
            int("x")
        except ValueError:
            record.exc_info = sys.exc_info()
    line = OneJson().format(record)
    assert line.isascii()
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_record_is_a_json_object() -> None:
    assert as_json("%d files", 3, user_id="ann", client=None, unsampled=True) == {
        "time": "1970-01-01T00:00:00.500Z",
        "level": "warning",
        "logger": "docstore.x",
        "message": "3 files",
        "user_id": "ann",
    }


def test_json_keeps_all_on_one_line() -> None:
    told = as_json("a\nb\x7f\u2028", error=True, name_of_file="\ud800")
    assert told["message"] == "a\nb\x7f\u2028"
    assert told["traceback"].startswith("Traceback")
    assert told["name_of_file"] == "\ud800"


def test_a_record_tells_its_trace() -> None:
    with traced("a" * 32):
        assert as_json("x")["trace_id"] == "a" * 32
        assert as_json("x", trace_id="b" * 32)["trace_id"] == "b" * 32
    assert "trace_id" not in as_json("x")


@pytest.mark.parametrize(
    ("chosen", "is_service", "is_terminal", "expected"),
    [
        ("auto", True, False, OneJson),
        ("auto", True, True, OneLine),
        ("auto", False, False, OneLine),
        ("json", False, True, OneJson),
        ("text", True, False, OneLine),
    ],
)
def test_which_form_a_log_has(
    chosen: str, is_service: bool, is_terminal: bool, expected: type[logging.Formatter],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal, raising=False)
    to_stderr(Settings.model_validate({"log_format": chosen}), is_service=is_service)
    (handler,) = logging.getLogger().handlers
    assert type(handler.formatter) is expected
