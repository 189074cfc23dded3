import logging
import sys

import pytest

from docstore.entrypoints.logs import OneLine, printable


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
